"""Rates and decks for tests, in few words."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from domain.deck_assembly import Assembly
from domain.instants import parse_instant
from domain.numbers import parse_number
from domain.rates import DeckVersion, Rate, Slot, Terms
from domain.tariff import Deck, Match


def terms(*slots: tuple[int, str, int], fee: str = "0", blocked: str | None = None) -> Terms:
    """Slots as (from_second, rate per minute, increment)."""
    return Terms(Decimal(fee), [Slot(start, Decimal(rate), increment) for start, rate, increment in slots], blocked)


def rate(
    prefix: str,
    price: str | Terms = "0.10",
    *,
    origin: str | None = None,
    direction: str = "out",
    since: str | None = None,
    until: str | None = None,
    blocked: str | None = None,
) -> Rate:
    """A rate by the minute; `since` and `until` (exclusive) are RFC 3339 or dates."""
    what = price if isinstance(price, Terms) else terms((0, price, 60), blocked=blocked)
    return Rate(prefix, origin, direction, "", at(since), at(until), what)


def at(text: str | None) -> int | None:
    """An instant in microseconds."""
    return None if text is None else parse_instant(text)


def version(number: int, starts: str | None = None, currency: str = "EUR") -> DeckVersion:
    """A version of a deck named `retail`, 4 decimals, half-up."""
    return DeckVersion("retail", number, currency, 4, "half-up", at(starts), "", 0)


def deck(*versions: tuple[str | None, Sequence[Rate]]) -> Deck:
    """A deck of versions in the order of their imports: when each starts, and its rates."""
    contents = {number: assembled(rates, starts) for number, (starts, rates) in enumerate(versions, 1)}
    numbered = [version(number, starts) for number, (starts, _) in enumerate(versions, 1)]
    return Deck(numbered, lambda wanted: contents[wanted.version])


def assembled(rates: Iterable[Rate], starts: str | None = None) -> list[Rate]:
    """The rates of a version as an import leaves them."""
    assembly = Assembly(at(starts))
    for line, each in enumerate(rates, 1):
        assembly.add(line, each)
    return assembly.finish()


def find(
    rates: Deck, number: str, *, origin: str | None = None, direction: str = "out", when: str = "2026-06-01"
) -> Match | str:
    """The look-up, with numbers as they come."""
    called = parse_number(number)
    start = at(when)
    assert called is not None
    assert start is not None
    return rates.find(called, parse_number(origin) if origin else None, direction, start)


def price_of(found: Match | str) -> str:
    """The price of a minute in the first slot, or the reason why there is none."""
    return found if isinstance(found, str) else f"{found.rate.slots[0].rate_per_minute:f}"
