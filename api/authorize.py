"""`POST /v1/accounts/{id}/authorize`: may this call be made, and for how long?"""

from decimal import Decimal
from typing import Annotated, Final, Protocol

import msgspec
from litestar import post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from application.authorize import DEFAULT_CALL_TYPE, Authorization, Question
from domain.errors import Invalid
from domain.event import LOG
from domain.instants import parse_instant
from domain.months import FIRST, LAST, to_datetime
from domain.usage import CALL_TYPES

MOST_CHARACTERS: Final = 200
Text = Annotated[str, msgspec.Meta(max_length=MOST_CHARACTERS)]


class Authorizing(Protocol):
    """Answers from memory."""

    async def authorize(self, account_id: str, question: Question) -> Authorization: ...


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The call that is to be made; inbound, `callee` is the service number that was dialled."""

    callee: Annotated[Text, msgspec.Meta(description="digits, an optional +, a trailing * where masked")]
    caller: Text | None = None
    user_id: Annotated[Text | None, msgspec.Meta(description="who calls; of a conference the organizer")] = None
    call_type: Annotated[Text, msgspec.Meta(description=f"one of {', '.join(sorted(CALL_TYPES))}")] = DEFAULT_CALL_TYPE
    number_type: Annotated[Text | None, msgspec.Meta(description="inbound: what the number is, as toll-free")] = None
    at: Annotated[Text | None, msgspec.Meta(description="its start, RFC 3339 with its zone; else now")] = None


class Answer(msgspec.Struct, frozen=True):
    """Whether, why, and how long: `max_seconds` null where nothing limits it."""

    allowed: bool
    reason: str
    max_seconds: int | None
    paid_from: Annotated[tuple[str, ...], msgspec.Meta(description="pool, credit, postpaid, free")]
    rate: Annotated[str | None, msgspec.Meta(description="per minute in the first slot that credit pays")]
    spendable: str
    log: str
    position: Annotated[int, msgspec.Meta(description="of the log, up to which the answer knows")]


def authorize(book: Authorizing) -> list[HTTPRouteHandler]:
    """The route."""

    @post("/v1/accounts/{account:str}/authorize", status_code=200, tags=["authorization"], operation_id="authorize")
    async def authorize_call(
        account: Annotated[str, Parameter(description="the account's id", max_length=128)], data: Call
    ) -> Answer:
        """May this call be made, and for how long? For one call: several at once may spend the same credit."""
        at = None if data.at is None else _instant(data.at)
        question = Question(
            data.callee, data.caller or "", data.user_id or "", data.call_type, data.number_type or "", at
        )
        return answer(await book.authorize(account, question))

    return [authorize_call]


def answer(found: Authorization) -> Answer:
    """As it goes out: amounts as text."""
    decision = found.decision
    rate = None if decision.rate is None else _text(decision.rate)
    reach = (decision.allowed, decision.reason, decision.max_seconds, decision.paid_from)
    return Answer(*reach, rate, _text(decision.spendable), LOG, found.position)


def _text(amount: Decimal) -> str:
    return f"{amount:f}"


def _instant(text: str) -> int:
    try:
        at = parse_instant(text)
        if FIRST <= to_datetime(at) < LAST:
            return at
    except (ValueError, OverflowError) as error:
        raise Invalid("invalid_field", f"at: {error}", "at") from error
    raise Invalid("invalid_field", f"at: {text!r} is no time of the calendar from {FIRST.year} on", "at")
