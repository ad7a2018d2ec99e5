"""The read side: rows made of the log alone, kept up to it in batches, rebuilt to the same bytes.

balance    one row per account, with its whole state; who reads it
statement  one line per debit and funds, the audit view; who reads it
notices    what is worth a message to people, once per cause; notice_look: what the time alone causes
hours      what accounts have spent in each hour of late
lines      a line's text
runner     following the log, several at once
rebuild    a read model made anew beside the one in use
freshness  how far an answer has got
log        rows of the log as events            tables  the SQL they share            ports  what they need of the store
"""
