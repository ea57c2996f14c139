"""The document as closed pydantic models.

In: nodes. Out: a validated document; its JSON Schema and reference.
"""
