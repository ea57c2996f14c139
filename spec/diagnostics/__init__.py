"""Problems as data, and how they are printed.

In: a span, a reason and a remedy. Out: text, GitHub annotations, SARIF or JSON.
"""
