"""Usage: one call or conference leg as a telephony system reports it, and what its call type means for money.

A `Usage` has passed every check that needs neither a clock nor an account; a `Refusal` is a record that did not.
Both are named for people in the source's own words: `field_name` says what a format calls a field.
"""

from decimal import Decimal
from typing import Final, Literal

import msgspec

from domain.numbers import Number, parse_number

MAX_DURATION_SECONDS: Final = 2_678_400  # 31 days
MAX_USAGE_ID_LENGTH: Final = 200

# Outgoing calls, charged by destination; conference dial-out (conf_out) is charged likewise, but is no call.
_OUTGOING: Final = frozenset(
    (
        "user_out",
        "user_out_conf",
        "user_out_transfer",
        "user_out_forwarding",
        "fmc_out",
        "ucap_out",
        "ucap_out_conf",
    )
)
_CONFERENCE: Final = frozenset(("conf_in", "conf_out"))
_INBOUND: Final = frozenset(("user_in", "conf_in", "unassigned_in", "fmc_in", "ucap_in"))
_EMERGENCY: Final = frozenset(("emergency_in", "emergency_out"))
_CHARGED_OUT: Final = _OUTGOING | {"conf_out"}
NEEDS_LICENCE: Final = _OUTGOING | _CONFERENCE  # of the user, where credit pays
CALL_TYPES: Final[frozenset[str]] = _OUTGOING | _CONFERENCE | _INBOUND | _EMERGENCY

FREE_CALL: Final = "FREECALL"  # the platform could not price it for a fault of its own: costs nothing
PAY_PER_MINUTE: Final = "MCOMEETACPEA"  # pay-per-minute conferencing: dial-in is charged too

Direction = Literal["out", "in"]


class Usage(msgspec.Struct, frozen=True, gc=False):
    """One call or conference leg, checked. Text is as it came; "" stands for none.

    `started_at` is microseconds since the epoch (UTC). `user_id` is the UPN, else the object id.
    `charge` and `connection_fee` are what the source says it costs. `extra` is a JSON object of every source field that
    has no place here, as it came; b"" where there is none.
    """

    usage_id: str
    account_id: str
    call_type: str
    started_at: int
    duration_seconds: int
    caller: str = ""
    callee: str = ""
    user_id: str = ""
    user_name: str = ""
    number_type: str = ""
    capability: str = ""
    conference_id: str = ""
    call_id: str = ""
    charge: Decimal | None = None
    connection_fee: Decimal | None = None
    currency: str = ""
    format: str = "usage"
    extra: bytes = b""


class Refusal(msgspec.Struct, frozen=True):
    """A record that cannot be taken, and becomes a dead letter.

    `reason` is a stable code of the interface, `field` the source's own name of the field ("" for the whole record),
    `raw` the record as it came (its first bytes when too large). Account and usage id are "" where not known.
    """

    reason: str
    field: str
    message: str
    raw: bytes = b""
    account_id: str = ""
    usage_id: str = ""
    format: str = "usage"


# What each format calls the fields. CloudEvents carry the usage message as their data.
FIELD_NAMES: Final[dict[str, dict[str, str]]] = {
    "cloudevents": {"account_id": "subject"},
    "graph": {
        "usage_id": "id",
        "call_id": "callId",
        "user_id": "userPrincipalName",
        "user_name": "userDisplayName",
        "started_at": "startDateTime",
        "duration_seconds": "duration",
        "charge": "charge",
        "connection_fee": "connectionCharge",
        "call_type": "callType",
        "currency": "currency",
        "callee": "calleeNumber",
        "caller": "callerNumber",
        "conference_id": "conferenceId",
        "capability": "licenseCapability",
        "number_type": "inventoryType",
    },
    "pstn-csv": {
        "usage_id": "UsageId",
        "call_id": "Call ID",
        "conference_id": "Conference ID",
        "user_id": "UPN",
        "user_name": "User Display Name",
        "caller": "Caller ID",
        "call_type": "Call Type",
        "number_type": "Number Type",
        "callee": "Destination Number",
        "started_at": "Start Time",
        "duration_seconds": "Duration Seconds",
        "connection_fee": "Connection Fee",
        "charge": "Charge",
        "currency": "Currency",
        "capability": "Capability",
    },
}


def field_name(format: str, field: str) -> str:  # noqa: A002 - the domain's word
    """What `format` calls one of Usage's fields; its own name where the format keeps it."""
    return FIELD_NAMES.get(format, {}).get(field, field)


def is_conference(call_type: str) -> bool:
    """Usage of a conference bridge; its user is the organizer."""
    return call_type in _CONFERENCE


def is_outgoing(call_type: str) -> bool:
    """A call that a user or a bot makes; neither an emergency call nor a conference's dial-out."""
    return call_type in _OUTGOING


def is_emergency(call_type: str) -> bool:
    """Never charged and never refused."""
    return call_type in _EMERGENCY


def normal_number_type(number_type: str) -> str:
    """Number types compare without case, space, `-` and `_`: Toll-Free, tollfree and toll_free are one."""
    return number_type.casefold().replace(" ", "").replace("-", "").replace("_", "")


def user_key(user_id: str) -> str:
    """Users compare without case."""
    return user_id.casefold()


def charged_direction(usage: Usage) -> Direction | None:
    """The direction a rated account pays for; None: it costs nothing and needs no rate.

    Outgoing calls and conference dial-out are "out". Inbound is "in" only on a toll-free number, or into a
    conference that pays per minute. Emergency and FREECALL cost nothing.
    """
    capability = usage.capability.upper()
    if capability == FREE_CALL:
        return None
    if usage.call_type in _CHARGED_OUT:
        return "out"
    if usage.call_type in _INBOUND and (
        (usage.number_type and normal_number_type(usage.number_type) == "tollfree")
        or (capability == PAY_PER_MINUTE and usage.call_type == "conf_in")
    ):
        return "in"
    return None


def rated_number(usage: Usage) -> Number | Refusal:
    """The number a charged usage is rated by: the one that was dialled, inbound too.

    A Refusal (without `raw`) where it is missing or is no number: only usage that is charged needs one. Its message is
    kept in the clear, so it does not repeat the number.
    """
    number = parse_number(usage.callee)
    if number is not None:
        return number
    field = field_name(usage.format, "callee")
    if usage.callee:
        reason = "invalid_field"
        message = f"{field} is no number: digits, an optional leading +, trailing * where masked"
    else:
        reason, message = "missing_field", f"{field} is missing; a {usage.call_type} usage is rated by it"
    return Refusal(reason, field, message, b"", usage.account_id, usage.usage_id, usage.format)
