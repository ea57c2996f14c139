"""The text that commands print, made from data."""
