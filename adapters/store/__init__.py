"""The event store: the `eventsourcing` library's own tables on SQLite and PostgreSQL, and what commits beside events.

mapper     events to and from the library's stored form
sqlite     the library's recorder, made to write a batch with what belongs to it in one transaction
postgres   the same for PostgreSQL, with connections that give up on a server that does not answer
ledger     what the stores have in common
schema     our tables beside the library's, and how they come to be
store      `open_store(url)` and `migrate(url)`
"""
