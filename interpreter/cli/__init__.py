"""Commands, one module each, registered in `interpreter/cli/app.py`."""
