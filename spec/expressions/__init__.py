"""The text of one expression and its syntax tree.

In: text. Out: a tree with spans; and back to canonical text.
"""
