"""A kept record decoded again, with fields changed by an operator: by the source's own names, or by ours.

The changed record is decoded like any other, so a change can be as wrong as what a telephony system sends.
"""

import base64
import json
from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

import msgspec

from consumers.decode import decode_record
from consumers.fields import encode_json
from consumers.shapes import EVENT, MESSAGE, ROWS, Shape
from domain.errors import Invalid
from domain.errors import Refused as RuleRefused
from domain.usage import Refusal, Usage

Fields = dict[str, msgspec.Raw]
_BOM: Final = b"\xef\xbb\xbf"
_ATTRIBUTES: Final = ("specversion", "type", "source", "id", "subject", "datacontenttype")  # of an event, not its data
_fields: Final = msgspec.json.Decoder(Fields)


def decode_patched(
    raw: bytes,
    format: str,  # noqa: A002 - the domain's word
    account: str,
    patch: Mapping[str, str],
) -> Usage | Refusal:
    """What a kept record is with those fields changed; a new value is text, empty for none.

    `account` is the letter's; a changed account stands for it. Raises Invalid `unknown_field` for a field that the
    format does not have, Refused `not_patchable` for a record that has no fields.
    """
    if not patch:
        return decode_record(raw, format, account)
    try:
        fields, repeated = _fields_of(raw.removeprefix(_BOM))
        shape = ROWS.get(format) or (EVENT if "specversion" in fields and "usage_id" not in fields else MESSAGE)
        data, repeated_in_data = _data_of(fields) if shape is EVENT else (fields, set())
    except (ValueError, RecursionError) as error:
        text = "the record has no fields that could be changed: give it up, and take in a corrected one"
        raise RuleRefused("not_patchable", text, "patch") from error
    named = {_own_name(name, shape): msgspec.Raw(encode_json(value or None)) for name, value in patch.items()}
    if not repeated | repeated_in_data <= named.keys():
        return decode_record(raw, format, account)  # a key that stands twice is still refused
    for name, value in named.items():
        (fields if name in _ATTRIBUTES else data)[name] = value
    if shape is EVENT:
        fields["data"] = msgspec.Raw(encode_json(data))
    return decode_record(encode_json(fields), format, "" if shape.names["account_id"] in named else account)


def _fields_of(raw: bytes) -> tuple[Fields, set[str]]:
    """An object's fields as they came, and the keys that stand twice. Raises what decoding raises."""
    fields = _fields.decode(raw)
    pairs: list[tuple[str, Any]] = json.loads(
        raw, object_pairs_hook=list, parse_int=str, parse_float=str, parse_constant=str
    )
    return fields, {key for key, times in Counter(key for key, _ in pairs).items() if times > 1}


def _data_of(fields: Fields) -> tuple[Fields, set[str]]:
    """The usage's fields in an event, its data written as an object."""
    if "data_base64" in fields and "data" not in fields:
        encoded = msgspec.json.decode(fields.pop("data_base64"), type=str)
        fields["data"] = msgspec.Raw(base64.b64decode(encoded, validate=True))
    return _fields_of(bytes(fields.get("data", b"{}")))


def _own_name(name: str, shape: Shape) -> str:
    """The source's name of a field. Raises Invalid `unknown_field`."""
    own = [*shape.names.values(), *shape.object_ids, *(_ATTRIBUTES if shape is EVENT else ())]
    if name in own:
        return name
    if name in shape.names:
        return shape.names[name]
    close = get_close_matches(name, [*own, *shape.names], 1)
    hint = f"; did you mean {close[0]}?" if close else f"; it is one of {', '.join(own)}"
    raise Invalid("unknown_field", f"the record has no field {name!r}{hint}", "patch")
