"""The decks there are and the ones in use: versions, rates, and which deck rates an account.

A version is one `DeckImported` on the deck's own stream; its rates are stored beside the log. `DeckBook` compiles what
is needed and keeps up with the log.
"""

import zlib
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from application.ports import Store
from domain.errors import NotFound, Refused
from domain.events import DeckImported, deck_stream, decode_state
from domain.numbers import Number
from domain.rate_lines import decode_rates
from domain.rates import NO_RATE, DeckVersion, Rate
from domain.rating import Charge, price
from domain.tariff import Deck, Match

TOPIC: Final = DeckImported.__name__
DEFAULT: Final = "default"
CURRENCY_MISMATCH: Final = "currency_mismatch"
_PAGE: Final = 1_000


class Quote(NamedTuple):
    """What a call would cost, and the rate that says so."""

    charge: Charge
    match: Match


class DeckBook:
    """One per store. `refresh` takes in what was imported since; without it the book stays as it is."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._decks: dict[str, Deck] = {}
        self._position = 0
        self._chosen: dict[tuple[str, str], Deck | str] = {}

    def refresh(self) -> None:
        """Up to the log's present end. Cheap where no deck was imported."""
        position = self._store.max_position()
        if position == self._position:
            return
        for version in imported(self._store, self._position, position):
            self._add(version)
        self._position = position

    def renewed(self, at: int) -> "DeckBook":
        """A book up to the log's present end, ready for calls at that time; this one stays as it is."""
        book = DeckBook(self._store)
        book._decks, book._position = dict(self._decks), self._position
        position = self._store.max_position()
        for version in imported(self._store, self._position, position):
            known = book._decks.pop(version.deck, None)
            if known is None:
                book._add(version)
            else:
                book._decks[version.deck] = known.with_version(version)
        book._position = position
        for deck in book._decks.values():
            deck.prepare(at)
        return book

    def _add(self, version: DeckVersion) -> None:
        known = self._decks.get(version.deck)
        if known is None:
            self._decks[version.deck] = Deck([version], lambda wanted: rates_of(self._store, wanted))
        else:
            known.add(version)
        self._chosen.clear()

    def deck_for(self, name: str, currency: str) -> Deck | str:
        """The deck of an account: the one it names, else `default`, else the only one of its currency.

        Else the reason code NO_RATE, or CURRENCY_MISMATCH where the named one is in another currency.
        """
        key = (name, currency)
        chosen = self._chosen.get(key)
        if chosen is None:
            chosen = self._chosen[key] = self._choose(name, currency)
        return chosen

    def _choose(self, name: str, currency: str) -> Deck | str:
        if name:
            deck = self._decks.get(name)
            if deck is None:
                return NO_RATE
            return deck if deck.newest.currency == currency else CURRENCY_MISMATCH
        fitting = [deck for deck in self._decks.values() if deck.newest.currency == currency]
        return _default_or_only(fitting) or NO_RATE

    def named(self, name: str) -> Deck:
        """Raises NotFound `unknown_deck`."""
        deck = self._decks.get(name)
        if deck is None:
            raise NotFound("unknown_deck", f"there is no deck {name}", "deck")
        return deck

    def check(self, name: str, currency: str) -> None:
        """For an account that is to name this deck. Raises NotFound `unknown_deck`, Refused `currency_mismatch`."""
        found = self.named(name).newest.currency
        if found != currency:
            raise Refused(CURRENCY_MISMATCH, f"deck {name} is in {found}, the account in {currency}", "deck")

    def quote(
        self,
        number: Number,
        seconds: int,
        at: int,
        deck: str = "",
        origin: Number | None = None,
        direction: str = "out",
    ) -> Quote:
        """What a call would cost by a deck; without one by `default`, else by the only one.

        Raises Refused `no_rate` or `ambiguous_rate`, NotFound `unknown_deck`.
        """
        found = self.named(deck) if deck else _default_or_only(list(self._decks.values()))
        if found is None:
            raise Refused(NO_RATE, "there is no deck named default, and not just one: say --deck", "deck")
        match = found.find(number, origin, direction, at)
        if isinstance(match, str):
            raise Refused(match, f"{without_rate(found, match)} for {number.digits} at that time", "number")
        version = match.version
        return Quote(price(match.rate, version.decimals, version.rounding, seconds, with_fee=seconds > 0), match)


def without_rate(deck: Deck, reason: str) -> str:
    """The beginning of a sentence about a number that the deck does not rate."""
    return f"deck {deck.newest.deck} has {'no rate' if reason == NO_RATE else 'no single rate'}"


def _default_or_only(decks: Sequence[Deck]) -> Deck | None:
    default = next((deck for deck in decks if deck.newest.deck == DEFAULT), None)
    return default or (decks[0] if len(decks) == 1 else None)


def versions_of(store: Store, deck: str) -> list[DeckVersion]:
    """A deck's versions in the order of their imports; none where it is not there."""
    events = (recorded.event for recorded in store.select_events(deck_stream(deck)))
    return [version_of(event) for event in events if isinstance(event, DeckImported)]


def list_decks(store: Store) -> list[DeckVersion]:
    """Every version of every deck, by name and version."""
    return sorted(imported(store, 0, store.max_position()), key=lambda v: (v.deck, v.version))


def imported(store: Store, after: int, upto: int) -> Iterator[DeckVersion]:
    """The versions imported between two positions of the log."""
    while rows := store.select_log(after, _PAGE, upto, (TOPIC,)):
        for _, _, _, topic, state in rows:
            event = decode_state(topic, state)
            assert isinstance(event, DeckImported)
            yield version_of(event)
        after = rows[-1][0]


def version_of(event: DeckImported) -> DeckVersion:
    """What the log says of a version."""
    return DeckVersion(
        event.deck,
        event.version,
        event.currency,
        event.decimals,
        event.rounding,
        event.starts_at,
        event.sha256,
        event.rates,
    )


def rates_of(store: Store, version: DeckVersion) -> Iterator[Rate]:
    """A stored version's rates in canonical order."""
    return decode_rates(lines_of(store, version))


def lines_of(store: Store, version: DeckVersion) -> list[bytes]:
    """A stored version's canonical lines, without line ends."""
    return zlib.decompress(store.deck_content(version.deck, version.version)).splitlines()
