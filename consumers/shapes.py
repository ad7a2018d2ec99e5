"""How each format writes a usage: its JSON types and the source's own names."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, cast

import msgspec

from domain.usage import field_name

# Absent is not null: when a message is written again, what was absent stays so. Falsy, as None is.
ABSENT: Final[Any] = msgspec.UNSET
# The float of a JSON number is never used: it only says that the digits are to be read from the record itself.
Number = str | int | float | None


class Message(msgspec.Struct, gc=False):
    """The fields of a usage message by their JSON types."""

    usage_id: str | None = ABSENT
    account_id: str | None = ABSENT
    call_type: str | None = ABSENT
    started_at: str | None = ABSENT
    duration_seconds: Number = ABSENT
    caller: str | None = ABSENT
    callee: str | None = ABSENT
    user_id: str | None = ABSENT
    user_name: str | None = ABSENT
    number_type: str | None = ABSENT
    capability: str | None = ABSENT
    conference_id: str | None = ABSENT
    call_id: str | None = ABSENT
    charge: Number = ABSENT
    connection_fee: Number = ABSENT
    currency: str | None = ABSENT


_FIELDS: Final = msgspec.structs.fields(Message)
FIELDS: Final = tuple(field.name for field in _FIELDS)
TEXT_FIELDS: Final = tuple(field.name for field in _FIELDS if field.type == str | None)


class Shape(NamedTuple):
    """How a format writes a usage."""

    format: str
    decode: Callable[[bytes], Message]
    names: Mapping[str, str]  # the source's own name of each field, for people
    known: frozenset[str]  # the JSON keys that have a place in Usage
    object_ids: tuple[str, ...] = ()  # of a file's rows: names of the user's object id
    utc_assumed: bool = False  # the format says that all its times are UTC


def _names(format: str) -> dict[str, str]:  # noqa: A002 - the domain's word
    return {name: field_name(format, name) for name in FIELDS}


def _rows(format: str, object_ids: tuple[str, ...], utc_assumed: bool = False) -> Shape:  # noqa: A002
    names = _names(format)
    fields = [(field.name, field.type, ABSENT) for field in _FIELDS]
    row = cast("type[Message]", msgspec.defstruct("Row", fields, rename=names, gc=False))
    return Shape(format, msgspec.json.Decoder(row).decode, names, frozenset(names.values()), object_ids, utc_assumed)


MESSAGE: Final = Shape("usage", msgspec.json.Decoder(Message).decode, _names("usage"), frozenset(FIELDS))
EVENT: Final = MESSAGE._replace(format="cloudevents", names=_names("cloudevents"))
ROWS: Final = {
    "pstn-csv": _rows("pstn-csv", ("Microsoft Entra ObjectId", "AAD ObjectId"), utc_assumed=True),
    "graph": _rows("graph", ("userId",)),
}
