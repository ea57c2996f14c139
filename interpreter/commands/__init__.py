"""Commands, one module each, registered in `interpreter/cli.py`."""
