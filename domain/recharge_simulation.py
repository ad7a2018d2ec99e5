"""What auto-recharge would have charged, over an account's own history. Pure.

The balance goes on from where it was; recharges that did happen in the time are left out, and those that the simulated
settings make due take their place, credited at once. A lot of a simulated recharge does not expire.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

HOUR: Final = 3_600_000_000


class Change(NamedTuple):
    """Something that changed the balance, or (`amount` 0) the begin or end of the time."""

    at: int
    amount: Decimal


class Simulated(NamedTuple):
    """One recharge: what could be spent before and after it."""

    at: int
    before: Decimal
    after: Decimal


class Simulation(NamedTuple):
    """`suspended_at`: when more recharges were due in an hour than are made; none after it."""

    charges: list[Simulated]
    lowest_balance: Decimal
    lowest_at: int
    end_balance: Decimal
    suspended_at: int | None


def simulate(
    start: Decimal, begin: int, changes: Iterable[Change], amount: Decimal, below: Decimal, most_an_hour: int
) -> Simulation:
    """`changes` in the order of time, from `begin` on, when the balance was `start`."""
    charges: list[Simulated] = []
    balance = lowest = start
    lowest_at, suspended_at = begin, None
    for at, changed in (Change(begin, start - start), *changes):
        balance += changed
        if balance < lowest:
            lowest, lowest_at = balance, at
        while balance < below and suspended_at is None:
            if len(charges) >= most_an_hour and at - charges[-most_an_hour].at < HOUR:
                suspended_at = at
                break
            charges.append(Simulated(at, balance, balance + amount))
            balance += amount
    return Simulation(charges, lowest, lowest_at, balance, suspended_at)
