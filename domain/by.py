"""Who acts: what every decision is handed beside the account, and the header of the events that it answers."""

from typing import NamedTuple

from domain.account import CreditAccount
from domain.errors import Refused


class By(NamedTuple):
    """Who acts, through which door, when, and why."""

    now: int
    actor: str
    channel: str
    reason: str = ""
    causation_id: str = ""


Header = tuple[int, int, int, str, str, str, str]


def header(account: CreditAccount, by: By, occurred_at: int | None = None, schema: int = 1) -> Header:
    """An event's header: recorded at the later of now and the account's last. `schema`: the event's VERSION."""
    recorded_at = max(by.now, account.recorded_at)
    occurred_at = by.now if occurred_at is None else occurred_at
    return (schema, occurred_at, recorded_at, by.actor, by.channel, by.reason, by.causation_id)


def must_be_open(account: CreditAccount) -> None:
    """Raises Refused `account_closed`."""
    if account.closed:
        raise Refused("account_closed", f"account {account.account_id} is closed", "account")
