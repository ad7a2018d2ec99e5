"""Figures of reading: rates from a deck, the log replayed, a read model rebuilt, accounts loaded."""

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any, Final
from uuid import UUID

from application.accounts import Accounts
from application.deck_import import ImportOptions, import_deck
from application.ports import Store
from benchmarks.context import HOT, Context
from benchmarks.report import Figure
from benchmarks.seed import FileOfRates
from benchmarks.servers import settings, sqlite_url
from benchmarks.traffic import World
from commcredits.bootstrap import Engine
from domain.account import CreditAccount
from domain.events import DeckImported, GapAccepted, decode_state
from domain.numbers import parse_number
from domain.rates import OUT
from projections.rebuild import rebuild
from projections.runner import BATCH

PREFIXES: Final = 200_000
LOOK_UPS: Final = 200_000
ROUNDS: Final = 3
OF_NO_ACCOUNT: Final = {DeckImported.__name__, GapAccepted.__name__}


def look_ups(context: Context) -> list[Figure]:
    """A number's rate in a large deck, and what a call would cost, by the means that `rate` has."""
    world = World(accounts=1, prefixes=PREFIXES)
    with closing(Engine(settings(sqlite_url(context.folder)))) as engine:
        import_deck(engine.store, engine.by("benchmark"), FileOfRates(world.rates()), ImportOptions("default"))
        at = engine.by().now
        texts = [f"+{rate.prefix}5551234"[:15] for rate in world.rates()[:: PREFIXES // 2_000]]
        numbers = [number for text in texts if (number := parse_number(text))]
        find, quote = engine.decks.named("default").find, engine.decks.quote
        found = find(numbers[0], None, OUT, at)
        assert not isinstance(found, str), found

        def look_up() -> None:
            for number in numbers:
                find(number, None, OUT, at)

        def rate() -> None:
            for text in texts:
                if number := parse_number(text):
                    quote(number, 125, at)

        times = [_micros(each, len(numbers)) for each in (look_up, rate)]
    names = (f"look-up among {PREFIXES:,} prefixes", "rate, in process")
    return [
        Figure(name=name, unit="µs", value=micros, must=must, at_most=True, rows=LOOK_UPS)
        for name, micros, must in zip(names, times, (1, 10), strict=True)
    ]


def _micros(work: Callable[[], None], count: int) -> float:
    """Of one among `count`; the median of some rounds."""
    seconds = []
    for _ in range(LOOK_UPS // count):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds) / count * 1e6


def replayed(context: Context) -> list[Figure]:
    """The log through the domain and through the balance's rebuild, each beside reading and decoding alone."""
    url, _ = context.consumed
    with closing(Engine(settings(url))) as engine:
        store = engine.store
        passes: dict[str, list[float]] = {"floor": [], "replay": [], "rebuild": []}
        for _ in range(ROUNDS):
            passes["floor"].append(_seconds(lambda: _decode(store)))
            passes["replay"].append(_seconds(lambda: _replay(store)))
            passes["rebuild"].append(_seconds(lambda: rebuild(store, "balance")))
        events = store.count_log(0)
    rates = {name: events / statistics.median(seconds) for name, seconds in passes.items()}
    detail = {name: [round(each, 2) for each in seconds] for name, seconds in passes.items()}
    of: dict[str, Any] = {"unit": "events/s", "floor": rates["floor"], "rows": events, "detail": detail}
    return [
        Figure(name="replay through the domain", value=rates["replay"], must=0.6, aim=0.9, **of),
        Figure(name="rebuild of balances", value=rates["rebuild"], must=0.4, aim=0.7, **of),
    ]


def _seconds(work: Callable[[], object]) -> float:
    """Without the collector, as a rebuild is."""
    gc.collect()
    gc.disable()
    begun = time.perf_counter()
    work()
    seconds = time.perf_counter() - begun
    gc.enable()
    return seconds


def _pages(store: Store) -> Iterator[Sequence[tuple[int, UUID, int, str, bytes]]]:
    after = 0
    while rows := store.select_log(after, BATCH):
        yield rows
        after = rows[-1][0]


def _decode(store: Store) -> None:
    for rows in _pages(store):
        for _, _, _, topic, state in rows:
            decode_state(topic, state)


def _replay(store: Store) -> None:
    accounts: dict[int, CreditAccount] = {}
    for rows in _pages(store):
        for _, stream, version, topic, state in rows:
            event = decode_state(topic, state)
            if topic in OF_NO_ACCOUNT:
                continue
            account = accounts.get(stream.int)
            if account is None:
                account = accounts[stream.int] = CreditAccount()
            account.apply(event, version)


def loading(context: Context, url: str) -> list[Figure]:
    """An account that has had the whole hot stream, and all accounts at once, as a consumer loads them."""
    with closing(Engine(settings(url))) as engine:
        store = engine.store
        version = Accounts(store).get(HOT).version
        names = context.world.account_ids()
        one = statistics.median(_seconds(lambda: Accounts(store).find([HOT])) for _ in range(ROUNDS))
        every = statistics.median(_seconds(lambda: Accounts(store).find(names)) for _ in range(ROUNDS))
    return [
        Figure(name="an account loaded", unit="ms", value=one * 1000, must=50, at_most=True, rows=version),
        Figure(name="accounts after a rebalance", unit="s", value=every, must=2, at_most=True, rows=len(names)),
    ]
