"""A deck version as a file that imports to the same version: NDJSON always, CSV where a table can say it."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from application.decks import lines_of, rates_of, versions_of
from application.ports import Store
from domain.errors import NotFound, Refused
from domain.instants import format_instant
from domain.rates import AMBIGUOUS, WITHDRAWN, DeckVersion, Rate

COLUMNS: Final = (
    *("prefix", "origin", "direction", "name", "rate", "connection fee", "initial increment", "increment"),
    *("effective from", "effective to", "withdrawn"),
)
_CHUNK: Final = 1_000


def find_version(store: Store, deck: str, version: int | None = None) -> DeckVersion:
    """That version of a deck, without a number its newest. Raises NotFound."""
    versions = versions_of(store, deck)
    if not versions:
        raise NotFound("unknown_deck", f"there is no deck {deck}", "name")
    if version is None:
        return versions[-1]
    found = next((each for each in versions if each.version == version), None)
    if found is None:
        raise NotFound("unknown_deck_version", f"deck {deck} has no version {version}", "version")
    return found


def show_deck(store: Store, version: DeckVersion, form: str) -> Iterator[bytes]:
    """The file in pieces; `form` is csv or ndjson. Raises Refused `deck_not_tabular` where a table cannot say it."""
    if form == "ndjson":
        return (line + b"\n" for line in lines_of(store, version))
    for rate in rates_of(store, version):
        _check_tabular(rate)
    return _csv(rates_of(store, version))


def _check_tabular(rate: Rate) -> None:
    what = ""
    if rate.terms.blocked == AMBIGUOUS:
        what = "is ambiguous"
    elif rate.terms.slots and not _increments(rate):
        what = "has slots that a table cannot say"
    if what:
        text = f"the rate of prefix {rate.prefix or '(empty)'} {what}: use --format ndjson"
        raise Refused("deck_not_tabular", text, "format")


def _increments(rate: Rate) -> tuple[int, int] | None:
    """The first and the later increment; None where the slots say more."""
    first, *others = rate.terms.slots
    if not others:
        return first.increment_seconds, first.increment_seconds
    second = others[0]
    same = len(others) == 1 and second.rate_per_minute == first.rate_per_minute
    if same and second.from_second == first.increment_seconds:
        return first.increment_seconds, second.increment_seconds
    return None


def _csv(rates: Iterable[Rate]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number, rate in enumerate(rates, 1):
        writer.writerow(_cells(rate))
        if number % _CHUNK == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _cells(rate: Rate) -> tuple[str, ...]:
    terms = rate.terms
    price, increments = "", ("", "")
    if terms.slots:
        price = f"{terms.slots[0].rate_per_minute:f}"
        initial, later = _increments(rate) or (0, 0)
        increments = str(initial), str(later)
    return (
        rate.prefix,
        rate.origin or "",
        rate.direction,
        rate.name,
        price,
        f"{terms.connection_fee:f}",
        *increments,
        "" if rate.effective_from is None else format_instant(rate.effective_from),
        "" if rate.effective_to is None else format_instant(rate.effective_to),
        "yes" if terms.blocked == WITHDRAWN else "",
    )
