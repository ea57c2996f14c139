"""The same training, written by hand for each framework: small programs, as their documentation teaches them."""
