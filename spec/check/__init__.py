"""Names, types and shapes.

In: the document of one cell. Out: its typed plan, or every independent problem in it.
"""
