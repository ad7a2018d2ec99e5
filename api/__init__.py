"""HTTP for machines: health, authorization, the provider's webhook and the customer's links. Composed by `serve`.

Handlers translate: a request in, a use case, its answer or its error out. They hold no rule.
"""
