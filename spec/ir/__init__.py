"""What the checker gives and the interpreter gets.

Immutable declarations without behaviour: terms, claims, plans.
"""
