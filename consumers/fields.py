"""A JSON object's fields as they came, each key once."""

import json
from collections.abc import Callable
from typing import Any, Final

import msgspec

from consumers.refusals import Refused

_decode: Final[Callable[[bytes], dict[str, msgspec.Raw]]] = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_text: Final[Callable[[bytes | msgspec.Raw], str]] = msgspec.json.Decoder(str).decode
encode_json: Final = msgspec.json.Encoder().encode


def unique_fields(raw: bytes) -> dict[str, msgspec.Raw]:
    """The fields of a JSON object. Raises Refused `duplicate_key`, or what decoding raises.

    The decoder keeps the last of two equal keys. So the fields, written again, have fewer quotes than they came with:
    values are copied as they are and a key has two, unless a quote is part of the key itself.
    """
    fields = _decode(raw)
    if not raw.isascii():
        raw.decode()  # what is kept as it came was not looked at
    if encode_json(fields).count(b'"') != raw.count(b'"') or (b"\\" in raw and any('"' in key for key in fields)):
        _refuse_duplicate(raw)
    return fields


def text_of(fields: dict[str, msgspec.Raw], name: str) -> str:
    """A field's text, "" where it is missing or null. Raises Refused `invalid_field` for any other type."""
    value = fields.get(name)
    if value is None or bytes(value) == b"null":
        return ""
    try:
        return _text(value)
    except msgspec.ValidationError as error:
        raise Refused("invalid_field", name, f"{name}: {error}") from error


def _refuse_duplicate(raw: bytes) -> None:
    pairs: list[tuple[str, Any]] = json.loads(
        raw, object_pairs_hook=list, parse_int=str, parse_float=str, parse_constant=str
    )
    seen = set()
    for key, _ in pairs:
        if key in seen:
            raise Refused("duplicate_key", key, f"the key {key[:100]!r} stands twice")
        seen.add(key)
