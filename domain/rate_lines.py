"""Rates as canonical NDJSON: one object a line in a fixed order, so that equal decks are equal bytes.

    {"prefix":"4479","origin":null,"direction":"out","blocked":null,"name":"UK mobile","connection_fee":"0.05",
     "effective_from":"2026-01-01T00:00:00Z","effective_to":null,
     "slots":[{"from_second":0,"rate_per_minute":"0.12","increment_seconds":60}]}

Amounts have no trailing zeros, times are UTC. A version's content hash is the SHA-256 of its lines in the order of
direction, prefix, origin, effective_from.
"""

import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Final

import msgspec

from domain.instants import format_instant, is_date, parse_instant
from domain.months import DAY
from domain.rates import (
    AMBIGUOUS,
    IN,
    OUT,
    WITHDRAWN,
    BadRate,
    Rate,
    Slot,
    Terms,
    check_dates,
    check_slots,
    is_prefix,
    plain_name,
)

_MONEY: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?", re.ASCII)


class _SlotLine(msgspec.Struct, forbid_unknown_fields=True):
    from_second: int
    rate_per_minute: msgspec.Raw
    increment_seconds: int


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    prefix: str
    origin: str | None = None
    direction: str = OUT
    blocked: str | None = None
    name: str = ""
    connection_fee: msgspec.Raw = msgspec.Raw(b'"0"')
    effective_from: str | None = None
    effective_to: str | None = None
    slots: msgspec.Raw = msgspec.Raw(b"[]")


_REMEMBERED: Final = 50_000

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(_Line).decode
_decode_slots: Final = msgspec.json.Decoder(list[_SlotLine]).decode


class RateWriter:
    """Encodes rates; terms that many rates share are put into text once."""

    def __init__(self) -> None:
        self._terms: dict[int, tuple[Terms, msgspec.Raw, msgspec.Raw]] = {}

    def line(self, rate: Rate) -> bytes:
        """One rate as its canonical line, without a line end."""
        terms = rate.terms
        known = self._terms.get(id(terms))
        if known is None:
            if len(self._terms) >= _REMEMBERED:
                self._terms.clear()
            known = self._terms[id(terms)] = (terms, msgspec.Raw(_amount(terms.connection_fee)), _slots(terms))
        start, end = rate.effective_from, rate.effective_to
        return _encode(
            _Line(
                rate.prefix,
                rate.origin,
                rate.direction,
                terms.blocked,
                rate.name,
                known[1],
                None if start is None else _instant(start),
                None if end is None else _instant(end),
                known[2],
            )
        )


class RateReader:
    """Decodes rates; equal terms become one object."""

    def __init__(self) -> None:
        self._terms: dict[tuple[bytes, bytes, str | None], Terms] = {}

    def rate(self, line: bytes) -> Rate:
        """The rate of a line. Raises BadRate naming the field."""
        try:
            wire = _decode(line)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise BadRate("", f"is no rate: {error}") from None
        if wire.direction not in {OUT, IN}:
            raise BadRate("direction", f"{wire.direction!r} is neither out nor in")
        if not is_prefix(wire.prefix):
            raise BadRate("prefix", f"{wire.prefix!r} is no prefix: write at most 15 digits")
        if wire.origin and not is_prefix(wire.origin):
            raise BadRate("origin", f"{wire.origin!r} is no prefix: write at most 15 digits")
        start, end = _start(wire.effective_from), _end(wire.effective_to)
        check_dates(start, end)
        return Rate(wire.prefix, wire.origin or None, wire.direction, plain_name(wire.name), start, end, self._of(wire))

    def _of(self, wire: _Line) -> Terms:
        key = (bytes(wire.connection_fee), bytes(wire.slots), wire.blocked)
        terms = self._terms.get(key)
        if terms is None:
            if len(self._terms) >= _REMEMBERED:
                self._terms.clear()
            terms = self._terms[key] = _read_terms(*key)
        return terms


def encode_rate(rate: Rate) -> bytes:
    """One rate as its canonical line, without a line end."""
    return RateWriter().line(rate)


def decode_rate(line: bytes) -> Rate:
    """The rate of a line. Raises BadRate naming the field."""
    return RateReader().rate(line)


def encode_rates(rates: Iterable[Rate]) -> Iterator[bytes]:
    """Lines with their ends, in the order given (a version's rates are kept in canonical order)."""
    writer = RateWriter()
    return (writer.line(rate) + b"\n" for rate in rates)


def decode_rates(lines: Iterable[bytes]) -> Iterator[Rate]:
    """The rates of a version's stored lines."""
    reader = RateReader()
    return (reader.rate(line) for line in lines if line)


def check_keys(line: bytes) -> None:
    """Raises BadRate where a key stands twice in one object, of which JSON readers silently take the last."""
    json.loads(line, object_pairs_hook=_once, parse_float=str)


def _once(pairs: list[tuple[str, object]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise BadRate(key, "stands twice")
        seen.add(key)


def _read_terms(fee: bytes, slots: bytes, blocked: str | None) -> Terms:
    if blocked not in {None, WITHDRAWN, AMBIGUOUS}:
        raise BadRate("blocked", f"{blocked!r} is neither withdrawn nor ambiguous nor null")
    try:
        wire = _decode_slots(slots)
    except msgspec.MsgspecError as error:
        raise BadRate("slots", str(error)) from None
    read = [Slot(s.from_second, _money("rate_per_minute", s.rate_per_minute), s.increment_seconds) for s in wire]
    check_slots(read, blocked)
    return Terms(_money("connection_fee", fee), read, blocked)


def _money(field: str, raw: bytes | msgspec.Raw) -> Decimal:
    """An amount from a JSON string or number, by its digits."""
    text = bytes(raw).decode().strip('"')
    if not _MONEY.fullmatch(text):
        raise BadRate(field, f"{text!r} is no amount: write digits and one point, at most 12 digits on each side")
    return Decimal(text)


@lru_cache(4096)
def _start(text: str | None) -> int | None:
    return None if text is None else _read_instant("effective_from", text)


@lru_cache(4096)
def _end(text: str | None) -> int | None:
    """The first instant after it: a date without a time is the last day."""
    if text is None:
        return None
    return _read_instant("effective_to", text) + (DAY if is_date(text) else 0)


def _read_instant(field: str, text: str) -> int:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise BadRate(field, str(error)) from None


@lru_cache(4096)
def _instant(at: int) -> str:
    return format_instant(at)


def _amount(amount: Decimal) -> bytes:
    return f'"{amount:f}"'.encode()


def _slots(terms: Terms) -> msgspec.Raw:
    lines = [
        _SlotLine(s.from_second, msgspec.Raw(_amount(s.rate_per_minute)), s.increment_seconds) for s in terms.slots
    ]
    return msgspec.Raw(_encode(lines))
