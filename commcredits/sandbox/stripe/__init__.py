"""A server that stands in for Stripe where it cannot be reached: tests, the demo, trials. It is not Stripe's.

It keeps its state in memory, speaks Stripe's wire format (the official `stripe` library works against it) and serves
the pages a customer would see. `/_control` is its own: what a card answers next, faults, disputes, and the ledger.
"""
