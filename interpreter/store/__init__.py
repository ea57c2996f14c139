"""The store of cells: what was run once is kept under its name, and not run again."""
