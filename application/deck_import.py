"""Importing a version of a rate deck: read the file whole, check it, commit one `DeckImported` with the rates.

The event goes on the deck's own stream (originator version = deck version); the rates, canonical NDJSON and compressed,
go beside the log in the same commit.
"""

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from application.decks import TOPIC, rates_of, versions_of
from application.ports import Commit, NewEvent, Store, WriteConflict
from domain.commands import By
from domain.deck_assembly import Assembly, BadRow
from domain.errors import Invalid, NotFound, Refused
from domain.events import DeckImported, deck_stream, encode_state
from domain.rate_lines import encode_rates
from domain.rates import DeckVersion, Rate

DEFAULT_DECIMALS = 4
DEFAULT_ROUNDING = "half-up"


class DeckSource(Protocol):
    """A file of rates as a reader gives it: (line, rate) and bad rows; then `currency` is known ("" = none)."""

    @property
    def currency(self) -> str: ...
    @property
    def ignored_columns(self) -> Sequence[str]: ...
    def __iter__(self) -> Iterator[tuple[int, Rate] | BadRow]: ...


class ImportOptions(NamedTuple):
    """How a file becomes a version; None: as the rules say."""

    name: str
    starts_at: int | None = None
    currency: str | None = None
    decimals: int | None = None
    rounding: str | None = None
    amend: bool = False
    dry_run: bool = False
    skip_bad: bool = False


class ImportResult(NamedTuple):
    """`version` is None where nothing was stored; `rates` are all that the version has; `bad` are the first 1,000."""

    deck: str
    version: int | None
    rates: int
    bad: Sequence[BadRow]
    bad_total: int
    ignored_columns: Sequence[str]


class DeckHasErrors(Refused):
    """A file with bad rows, taken only with `skip_bad`. `result` says which."""

    def __init__(self, result: ImportResult) -> None:
        first = result.bad[0]
        text = f"{result.bad_total} bad row(s), the first in line {first.line}: {first.column or 'row'}: {first.reason}"
        super().__init__("deck_has_errors", f"{text}; mend the file, or take the good ones with --skip-bad", "file")
        self.result = result


def import_deck(store: Store, by: By, source: DeckSource, options: ImportOptions) -> ImportResult:
    """Read a file whole and store it as the deck's next version.

    Raises DeckHasErrors, Refused (`currency_mismatch`, `deck_empty`, `deck_too_large`, `deck_changed`), NotFound where
    there is nothing to amend, Invalid `currency_missing`.
    """
    earlier = versions_of(store, options.name)
    previous = earlier[-1] if earlier else None
    if options.amend and previous is None:
        raise NotFound("unknown_deck", f"there is no deck {options.name} to amend", "name")
    starts_at = options.starts_at if options.starts_at is not None or previous is None else by.now
    assembly = Assembly(starts_at)
    for row in source:
        if isinstance(row, BadRow):
            assembly.report(row)
        else:
            assembly.add(*row)
    currency = _currency(options, source.currency, previous)
    base = rates_of(store, previous) if options.amend and previous is not None else ()
    rates = assembly.finish(base)
    result = ImportResult(options.name, None, len(rates), assembly.bad, assembly.bad_total, source.ignored_columns)
    if assembly.bad_total and not options.skip_bad:
        raise DeckHasErrors(result)
    if not rates:
        raise Refused("deck_empty", "the file has no rates", "file")
    if options.dry_run:
        return result
    content, digest = _pack(rates)
    version = _version(options, previous, currency, starts_at, digest, len(rates))
    _commit(store, by, version, options.amend, content)
    return result._replace(version=version.version)


def _currency(options: ImportOptions, named: str, previous: DeckVersion | None) -> str:
    inherited = previous.currency if previous and options.amend else None
    currency = options.currency or named or inherited
    if not currency:
        raise Invalid("currency_missing", "the file names no currency: say --currency", "currency")
    if previous and currency != previous.currency:
        text = f"deck {options.name} is in {previous.currency}, this file in {currency}: give it another name"
        raise Refused("currency_mismatch", text, "currency")
    return currency


def _pack(rates: Iterable[Rate]) -> tuple[bytes, str]:
    """Compressed canonical NDJSON and the SHA-256 of the plain bytes."""
    digest, packer = hashlib.sha256(), zlib.compressobj()
    packed = []
    for line in encode_rates(rates):
        digest.update(line)
        packed.append(packer.compress(line))
    packed.append(packer.flush())
    return b"".join(packed), digest.hexdigest()


def _version(
    options: ImportOptions, previous: DeckVersion | None, currency: str, starts_at: int | None, digest: str, rates: int
) -> DeckVersion:
    inherited = previous if options.amend else None
    decimals, rounding = options.decimals, options.rounding
    if decimals is None:
        decimals = inherited.decimals if inherited else DEFAULT_DECIMALS
    if rounding is None:
        rounding = inherited.rounding if inherited else DEFAULT_ROUNDING
    number = previous.version + 1 if previous else 1
    return DeckVersion(options.name, number, currency, decimals, rounding, starts_at, digest, rates)


def _commit(store: Store, by: By, version: DeckVersion, amended: bool, content: bytes) -> None:
    event = DeckImported(
        DeckImported.VERSION,
        by.now,
        by.now,
        by.actor,
        by.channel,
        by.reason,
        by.causation_id,
        version.deck,
        version.version,
        version.currency,
        version.decimals,
        version.rounding,
        version.starts_at,
        version.sha256,
        version.rates,
        amended,
    )
    row = NewEvent(deck_stream(version.deck), version.version, TOPIC, encode_state(event))
    try:
        store.commit(Commit([row], deck_contents=[(version.deck, version.version, content)]))
    except WriteConflict:
        text = f"somebody else imported a version of deck {version.deck} meanwhile: look at it and import again"
        raise Refused("deck_changed", text, "name") from None
