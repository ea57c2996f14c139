"""Data files: their columns and arrays as NumPy arrays, and what each of them is; read by NumPy and pyarrow, and never unpickled.

In comes a path, out go values (`reading.py`) and a summary that is remembered with the file's size and time (`survey.py`).
"""
