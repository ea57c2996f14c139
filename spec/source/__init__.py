"""A study's text, read as YAML.

In: a file or bytes. Out: nodes with their spans, or the problems of the text.
"""
