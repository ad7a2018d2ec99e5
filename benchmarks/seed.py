"""Puts a world into a store: accounts, funds, licences, auto-recharge and the deck, many accounts a commit.

Decided by the same domain functions as the commands use; one commit an account would take longer than the benchmarks.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from application.deck_import import ImportOptions, import_deck
from application.ports import Commit, NewEvent
from benchmarks.traffic import COUNTRIES, CURRENCY, USERS, World
from commcredits.bootstrap import Engine
from domain import commands
from domain.account import CreditAccount
from domain.commands import By, Funds
from domain.events import Event, Settings, account_stream, encode_state
from domain.months import DAY
from domain.plans import Plan, limits_of
from domain.rates import Rate

ACCOUNTS_A_COMMIT: Final = 500
LOTS: Final = ("2.0000", "50.0000", "1000.0000")  # the first is used up on the way
AMOUNT: Final = Decimal(100)
BELOW: Final = Decimal("1042.0000")  # so that some of the accounts trigger a recharge on the way
DIALOUT_LICENCES: Final = 3


class FileOfRates:
    """A deck as a file's reader would give it."""

    currency = CURRENCY
    ignored_columns: Sequence[str] = ()

    def __init__(self, rates: Sequence[Rate]) -> None:
        self._rates = rates

    def __iter__(self) -> Iterator[tuple[int, Rate]]:
        return iter(enumerate(self._rates, 1))


def seed(engine: Engine, world: World) -> None:
    """The world, into an empty store."""
    by = engine.by("benchmark")
    import_deck(engine.store, by, FileOfRates(world.rates()), ImportOptions("default"))
    names = world.account_ids()
    for start in range(0, len(names), ACCOUNTS_A_COMMIT):
        _open(engine, by, names[start : start + ACCOUNTS_A_COMMIT], start)


def _open(engine: Engine, by: By, names: Sequence[str], first: int) -> None:
    sealer = engine.vault.sealer()
    sealer.prepare((), [(name, user) for name in names for user in _users(name)])
    rows: list[NewEvent] = []
    for number, name in enumerate(names, first):
        users = [sealer.pseudonym(name, user) for user in _users(name)]
        for version, event in enumerate(_history(by, name, number, users, engine.plans), 1):
            rows.append(NewEvent(account_stream(name), version, type(event).__name__, encode_state(event)))
    engine.store.commit(Commit(rows, keys=sealer.keys, users=sealer.users))
    sealer.committed()


def _users(account: str) -> list[str]:
    return [f"user{user}@{account}.example.com" for user in range(USERS)]


def _history(by: By, name: str, number: int, users: Sequence[str], plans: Mapping[str, Plan]) -> list[Event]:
    """All users may use credits; of every other account two have a plan each, and it bought conferencing."""
    account, events = CreditAccount(), list[Event]()
    country = COUNTRIES[number % len(COUNTRIES)]

    def do(decided: Iterable[Event]) -> None:
        events.extend(commands.with_trigger(account, decided))

    def assign(user: str, plan: str) -> None:
        limits = limits_of(plans, plan, country)
        do(commands.assign_licence(account, by, user, plan, country, None, None, limits))

    opened_at = by.now - 30 * DAY
    do(commands.open_account(account, by, name, CURRENCY, 4, Settings(country=country), opened_at))
    for place, amount in enumerate(LOTS):
        do(commands.add_funds(account, by, Funds(Decimal(amount), f"po-{place}", opened_at + place * DAY)))
    do(commands.set_recharge(account, by, commands.Level(BELOW, AMOUNT), Decimal(50)))
    for user in users:
        assign(user, "MCOPSTNPP")
    if number % 2:
        assign(users[0], "MCOPSTN1")
        assign(users[1], "MCOPSTN8")
        dialout = limits_of(plans, "MCOMEETADD", country)
        do(commands.purchase_licences(account, by, "MCOMEETADD", DIALOUT_LICENCES, dialout))
    return events
