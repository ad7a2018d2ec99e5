"""Expiry: what is left of a lot after its end is forfeited, once late records of earlier usage had their time.

A lot is closed at its instant: it pays nothing that starts later, and `spendable` leaves it out. It is booked after the
account's grace, by an event that occurred at that instant. A lot that is held for a dispute waits for its outcome.
"""

from domain.account import CreditAccount
from domain.by import By, header
from domain.events import Event
from domain.lots import Lot
from domain.months import SECOND
from domain.payment_events import LotExpired


def booking_at(account: CreditAccount, lot: Lot) -> int:
    """The first instant at which what is left of it is forfeited: strictly after expiry and grace."""
    return lot.expires_at + account.settings.expiry_grace_seconds * SECOND + 1


def next_booking(account: CreditAccount) -> int | None:
    """When the next expiry is to be booked; None: no lot has anything left that could expire."""
    return min((booking_at(account, lot) for lot in account.open_lots if not lot.held), default=None)


def expire(account: CreditAccount, by: By) -> list[Event]:
    """All that is to be booked by now, in the order in which lots are consumed. Closed accounts' lots expire too."""
    now, balance = max(by.now, account.recorded_at), account.balance
    events: list[Event] = []
    for lot in account.open_lots:
        if not lot.held and booking_at(account, lot) <= now:
            balance -= lot.remaining
            events.append(LotExpired(*header(account, by, lot.expires_at), lot.id, lot.remaining, balance))
    return events
