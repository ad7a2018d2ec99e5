"""Turns what a decoder raised into a `Refusal`: a stable reason, the source's field, a sentence, and whose it is."""

import re
from typing import Final

import msgspec

from consumers.fields import text_of, unique_fields
from consumers.refusals import Refused
from consumers.shapes import EVENT, MESSAGE, Shape
from consumers.values import check_account_id, check_text, check_usage_id
from domain.usage import Refusal

_PATH: Final = re.compile(r" - at `\$\.(.+)`$")


def refusal(error: Exception, raw: bytes, shape: Shape, account: str) -> Refusal:
    """The refusal of a record for what was raised: Refused, or what the JSON decoder raises."""
    if isinstance(error, Refused):
        reason, field, message = error.reason, error.field, error.message
    else:
        reason, field, message = _explain(error, raw)
    try:
        fields = unique_fields(raw)
    except (Refused, ValueError, RecursionError):
        return Refusal(reason, field, message, raw, account, "", shape.format)
    if shape is MESSAGE and "specversion" in fields and "usage_id" not in fields:
        shape = EVENT
    account = account or _account_id(fields, shape)
    return Refusal(reason, field, message, raw, account, _usage_id(fields, shape), shape.format)


def _explain(error: Exception, raw: bytes) -> tuple[str, str, str]:
    path = _PATH.search(str(error))
    if isinstance(error, msgspec.ValidationError) and path is not None:
        return "invalid_field", path[1], f"{path[1]}: {_PATH.sub('', str(error))}"
    if isinstance(error, RecursionError):
        return "undecodable", "", "the JSON is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "undecodable", "", f"the record is not UTF-8: {error.reason}"
    if b"\x00" in raw[:4]:
        return "undecodable", "", "the record is UTF-16 or binary; JSON in UTF-8 is taken"
    return "undecodable", "", f"the record is no JSON object: {error}"


def _account_id(fields: dict[str, msgspec.Raw], shape: Shape) -> str:
    """The account that the record names, "" where it names none that can be."""
    try:
        return check_account_id(text_of(fields, shape.names["account_id"]))
    except (Refused, ValueError):
        return ""


def _usage_id(fields: dict[str, msgspec.Raw], shape: Shape) -> str:
    """The usage id that the record names, "" where it names none that can be."""
    try:
        if shape is EVENT:
            data = unique_fields(bytes(fields.get("data", b"{}")))
            usage_id = text_of(data, "usage_id") or f"{text_of(fields, 'source')}#{text_of(fields, 'id')}"
        else:
            usage_id = text_of(fields, shape.names["usage_id"])
        return check_usage_id(check_text(usage_id))
    except (Refused, ValueError, RecursionError):
        return ""
