"""CloudEvents 1.0 that carry usage, in structured and in binary mode.

Type `commcredits.usage.v1`; the subject is the account id; the usage id is that of the data, else `source#id`.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from consumers.fields import encode_json, text_of
from consumers.refusals import Refused

EVENT_TYPE: Final = "commcredits.usage.v1"
_PREFIX: Final = "ce_"
# What the usage itself has no need of: every other attribute is kept beside it.
_SPENT: Final = frozenset(("specversion", "type", "subject", "datacontenttype", "data", "data_base64"))


class Event(NamedTuple):
    """What an event says about the usage in it."""

    data: bytes
    account_id: str
    usage_id: str
    attributes: dict[str, msgspec.Raw]  # as they came, each key prefixed by ce_


def open_event(fields: dict[str, msgspec.Raw]) -> Event:
    """The event of a structured-mode object's fields. Raises Refused."""
    version = text_of(fields, "specversion")
    if not version.startswith("1."):
        raise Refused("invalid_field", "specversion", f"specversion is {version[:60]!r}; CloudEvents 1.0 are taken")
    kind = _required(fields, "type")
    if kind != EVENT_TYPE:
        raise Refused("invalid_field", "type", f"type is {kind[:100]!r}; {EVENT_TYPE} is taken")
    usage_id = f"{_required(fields, 'source')}#{_required(fields, 'id')}"
    content_type = text_of(fields, "datacontenttype")
    if content_type and not _is_json(content_type):
        raise Refused("invalid_field", "datacontenttype", f"datacontenttype is {content_type[:100]!r}; JSON is taken")
    attributes = {_PREFIX + key: value for key, value in fields.items() if key not in _SPENT}
    return Event(_data(fields), text_of(fields, "subject"), usage_id, attributes)


def is_binary(headers: Sequence[tuple[str, bytes]]) -> bool:
    """Whether a Kafka record is an event in binary mode: its attributes are headers, its value is the data."""
    return any(key == "ce_specversion" for key, _ in headers)


def structured(value: bytes, headers: Sequence[tuple[str, bytes]]) -> bytes:
    """A binary-mode event as one JSON object, so that it can be kept and decoded again. Raises Refused."""
    event: dict[str, str | msgspec.Raw] = {}
    for key, content in headers:
        if key == "content-type":
            name = "datacontenttype"
        elif key.startswith(_PREFIX):
            name = key.removeprefix(_PREFIX)
        else:
            continue
        if name in event:
            raise Refused("duplicate_key", key, f"the header {key[:100]!r} stands twice")
        try:
            event[name] = (content or b"").decode()
        except UnicodeDecodeError as error:
            raise Refused("invalid_field", key, f"the header {key[:100]!r} is not UTF-8: {error.reason}") from error
    try:
        msgspec.json.decode(value)
    except (ValueError, RecursionError):
        event["data_base64"] = base64.b64encode(value).decode()
    else:
        event["data"] = msgspec.Raw(value)
    return encode_json(event)


def _data(fields: dict[str, msgspec.Raw]) -> bytes:
    data = bytes(fields.get("data", b"null"))
    if data != b"null":
        return data
    encoded = _required(fields, "data_base64", "data")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("invalid_field", "data_base64", f"data_base64 is no base64: {error}") from error


def _required(fields: dict[str, msgspec.Raw], name: str, shown: str = "") -> str:
    text = text_of(fields, name)
    if not text:
        raise Refused("missing_field", shown or name, f"{shown or name} is missing")
    return text


def _is_json(content_type: str) -> bool:
    media = content_type.partition(";")[0].strip().lower()
    return media == "application/json" or media.endswith("+json")
