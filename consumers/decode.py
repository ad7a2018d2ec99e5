"""Decodes usage: JSON messages, CloudEvents, and rows of files kept as JSON, into `Usage` or `Refusal`.

A record is decoded in C by its typed shape. What that lets pass is found by cheap guards: the record, written again,
is as long as it came or has as many quotes, else a key is unknown or stands twice; and without a backslash, a DEL or a
byte beyond ASCII no text can hold a control character. Only when a guard trips is the record looked at slowly.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, NoReturn, TypeVar, cast

import msgspec

from consumers import cloudevents
from consumers.diagnosis import refusal
from consumers.fields import encode_json, text_of, unique_fields
from consumers.refusals import MAX_RECORD_BYTES, Refused, too_large_record
from consumers.shapes import ABSENT, EVENT, FIELDS, MESSAGE, ROWS, TEXT_FIELDS, Message, Number, Shape
from consumers.values import (
    check_account_id,
    check_duration,
    check_text,
    check_usage_id,
    duration_of_number,
    is_account_id,
    parse_currency,
    parse_duration,
    parse_price,
    parse_time,
    price_of_number,
)
from domain.money import CURRENCIES
from domain.usage import CALL_TYPES, MAX_DURATION_SECONDS, MAX_USAGE_ID_LENGTH, Refusal, Usage

T = TypeVar("T")
V = TypeVar("V")

_TYPES: Final = {name: name for name in CALL_TYPES}
_C1: Final = re.compile(rb"\xc2[\x80-\x9f]")
_NULLS: Final = frozenset(("", "none", "null"))  # what null becomes on a trip through another database
_BACKSLASH: Final = 0x5C
_DEL: Final = 0x7F
_BOM: Final = b"\xef\xbb\xbf"


def decode_message(
    value: bytes | None, headers: Sequence[tuple[str, bytes]] = (), default_account: str = ""
) -> Usage | Refusal:
    """A usage message or a CloudEvent, structured or (by its Kafka headers) binary.

    `default_account` names the account of a record that names none; one that names another is `account_mismatch`.
    Never raises for what the bytes are.
    """
    if value is None:
        return Refusal("undecodable", "", "the record has no value (a tombstone); usage is never deleted")
    if len(value) > MAX_RECORD_BYTES:
        return too_large_record(value, account=default_account)
    if headers and cloudevents.is_binary(headers):
        return _decode_binary(value, headers, default_account)
    try:
        message = MESSAGE.decode(value)
        if not message.usage_id and b'"specversion"' in value and "specversion" in (fields := unique_fields(value)):
            return _take_event(fields, default_account)
        return _take(message, value, MESSAGE, default_account)
    except (Refused, ValueError, RecursionError) as error:
        if value.startswith(_BOM):
            return decode_message(value[len(_BOM) :], (), default_account)
        return refusal(error, value, MESSAGE, default_account)


def decode_record(raw: bytes, format: str, account: str = "") -> Usage | Refusal:  # noqa: A002 - the domain's word
    """A record kept under its format (Usage.format, Refusal.format): a row is a JSON object by the source's names."""
    shape = ROWS.get(format)
    if shape is None:
        return decode_message(raw, (), account)
    if len(raw) > MAX_RECORD_BYTES:
        return too_large_record(raw, format, account)
    try:
        return _take(shape.decode(raw), raw, shape, account)
    except (Refused, ValueError, RecursionError) as error:
        return refusal(error, raw, shape, account)


def record_of(value: bytes, headers: Sequence[tuple[str, bytes]] = ()) -> bytes:
    """A Kafka record as a dead letter keeps it: its value, or a binary-mode event as one JSON object."""
    if not (headers and cloudevents.is_binary(headers)):
        return value
    try:
        return cloudevents.structured(value, headers)
    except Refused:
        return value


def _decode_binary(value: bytes, headers: Sequence[tuple[str, bytes]], account: str) -> Usage | Refusal:
    raw = value
    try:
        raw = cloudevents.structured(value, headers)
        return _take_event(unique_fields(raw), account)
    except (Refused, ValueError, RecursionError) as error:
        return refusal(error, raw, EVENT, account)


def _take_event(fields: dict[str, msgspec.Raw], account: str) -> Usage:
    event = cloudevents.open_event(fields)
    named = event.account_id
    if named:
        _checked(check_account_id, named, EVENT, "account_id")
        if account and named != account:
            raise _mismatch(named, account, "subject")
    _checked(check_text, event.usage_id, EVENT, "usage_id")
    return _take(EVENT.decode(event.data), event.data, EVENT, named or account, event.usage_id, event.attributes)


def _take(
    message: Message,
    raw: bytes,
    shape: Shape,
    account: str,
    usage_id: str = "",
    attributes: Mapping[str, msgspec.Raw] | None = None,
) -> Usage:
    """The usage of a message in its JSON types. `usage_id` is for one that names none. Raises Refused or ValueError."""
    fields: dict[str, msgspec.Raw] = {}
    extra = b""
    if shape is not MESSAGE or not _is_plain(message, raw):
        fields = unique_fields(raw)
        extra = _look_closer(message, raw, fields, shape, attributes)
    usage_id = message.usage_id or usage_id or _missing(shape, "usage_id")
    if len(usage_id) > MAX_USAGE_ID_LENGTH:
        _checked(check_usage_id, usage_id, shape, "usage_id")
    named = message.account_id
    if named:
        if not is_account_id(named):
            _checked(check_account_id, named, shape, "account_id")
        if account and named != account:
            raise _mismatch(named, account, "account_id")
        account = named
    elif not account:
        _missing(shape, "account_id")
    call_type = _TYPES.get(message.call_type or _missing(shape, "call_type"))
    if call_type is None:
        raise _unknown_call_type(shape)
    try:
        started_at = parse_time(message.started_at or _missing(shape, "started_at"), shape.utc_assumed)
    except ValueError as error:
        raise _invalid(shape, "started_at", error) from error
    duration = message.duration_seconds
    if type(duration) is not int or not 0 <= duration <= MAX_DURATION_SECONDS:
        duration = _duration(duration, fields, shape)
    return Usage(
        usage_id,
        account,
        call_type,
        started_at,
        duration,
        message.caller or "",
        message.callee or "",
        message.user_id or "",
        message.user_name or "",
        message.number_type or "",
        message.capability or "",
        message.conference_id or "",
        message.call_id or "",
        None if message.charge is None else _price(message.charge, fields, shape, "charge"),
        None if message.connection_fee is None else _price(message.connection_fee, fields, shape, "connection_fee"),
        _currency(message.currency, shape) if message.currency else "",
        shape.format,
        extra,
    )


def _is_plain(message: Message, raw: bytes) -> bool:
    """No key is unknown or stands twice, no text can hold a control character, no number has a point."""
    if float in (
        type(message.charge),
        type(message.connection_fee),
        type(message.duration_seconds),
    ) or _may_hold_controls(raw):
        return False
    written = encode_json(message)  # never longer than it came: of the same length it is all there is
    return len(raw) == len(written) or raw.count(b'"') == written.count(b'"')


def _may_hold_controls(raw: bytes) -> bool:
    return _BACKSLASH in raw or _DEL in raw or not (raw.isascii() or _C1.search(raw) is None)


def _look_closer(
    message: Message,
    raw: bytes,
    fields: dict[str, msgspec.Raw],
    shape: Shape,
    attributes: Mapping[str, msgspec.Raw] | None,
) -> bytes:
    """What a guard could not clear: control characters, a row's ways. Returns the fields without a place, as JSON."""
    if shape.object_ids:
        _tidy_row(message, fields, shape)
    if _may_hold_controls(raw):
        for name in TEXT_FIELDS:
            text = getattr(message, name)
            if text:
                _checked(check_text, text, shape, name)
    extra = {key: value for key, value in fields.items() if key not in shape.known}
    if attributes:
        extra = {**attributes, **extra}
    return encode_json(extra) if extra else b""


def _tidy_row(message: Message, fields: dict[str, msgspec.Raw], shape: Shape) -> None:
    """Texts that stand for null become null; the user is the object id where there is no UPN."""
    for name in FIELDS:
        value = getattr(message, name)
        if type(value) is str and len(value) <= 4 and value.casefold() in _NULLS:
            setattr(message, name, None)
    for name in shape.object_ids:
        if not message.user_id and (object_id := text_of(fields, name)).casefold() not in _NULLS:
            message.user_id = _checked(check_text, object_id, shape, "user_id")


def _duration(value: Number, fields: dict[str, msgspec.Raw], shape: Shape) -> int:
    if value is None or value is ABSENT:
        _missing(shape, "duration_seconds")
    if type(value) is float:
        return _checked(duration_of_number, _digits(fields, shape, "duration_seconds"), shape, "duration_seconds")
    if type(value) is int:
        return _checked(check_duration, value, shape, "duration_seconds")
    return _checked(parse_duration, cast("str", value), shape, "duration_seconds")


def _price(value: Number, fields: dict[str, msgspec.Raw], shape: Shape, name: str) -> Decimal | None:
    if value is ABSENT:
        return None
    if type(value) is not float:
        return _checked(parse_price, str(value), shape, name)
    return _checked(price_of_number, _digits(fields, shape, name), shape, name)


def _digits(fields: dict[str, msgspec.Raw], shape: Shape, name: str) -> str:
    """A JSON number's digits as they came."""
    return bytes(fields[shape.names[name]]).decode()


def _currency(text: str, shape: Shape) -> str:
    return text if text in CURRENCIES else _checked(parse_currency, text, shape, "currency")


def _checked(check: Callable[[V], T], value: V, shape: Shape, name: str) -> T:
    try:
        return check(value)
    except ValueError as error:
        raise _invalid(shape, name, error) from error


def _invalid(shape: Shape, name: str, error: ValueError) -> Refused:
    return Refused("invalid_field", shape.names[name], f"{shape.names[name]} {error}")


def _missing(shape: Shape, name: str) -> NoReturn:
    raise Refused("missing_field", shape.names[name], f"{shape.names[name]} is missing")


def _mismatch(named: str, account: str, field: str) -> Refused:
    return Refused("account_mismatch", field, f"{field} is {named}, but the usage came for account {account}")


def _unknown_call_type(shape: Shape) -> Refused:
    field, known = shape.names["call_type"], ", ".join(sorted(_TYPES))
    return Refused("unknown_call_type", field, f"{field} is none of {known}")
