"""A line of the statement is, to the byte, what orjson makes of the event's named view."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from domain.events import BilledSlot, FundsAdded, LotDraw, PoolDraw, Proof, UsageDebited
from domain.named import Entry, entry_view, is_entry, signed_amount
from domain.payment_events import DisputeClosed, LotExpired, LotPart, RefundFailed, RefundRequested, UsageReversed
from projections.lines import entry_line

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
WORD = st.sampled_from(["default", "lot-2", "dial out", 'a"b\\', "é€😀\x00\x1f\x7f", ""])
WHOLE = st.integers(0, 1 << 40)
INSTANT = st.integers(-(10**15), 4 * 10**15) | st.integers(0, 4 * 10**9).map(lambda second: second * 1_000_000)
AMOUNT = st.builds(
    lambda units, decimals: Decimal(units).scaleb(-decimals), st.integers(-(10**14), 10**14), st.integers(0, 14)
)
PROOF = st.builds(
    Proof,
    deck=st.none() | WORD,
    deck_version=st.none() | WHOLE,
    direction=st.none() | WORD,
    prefix=st.none() | TEXT,
    origin_prefix=st.none() | TEXT,
    connection_fee=AMOUNT,
    slots=st.lists(st.builds(BilledSlot, WHOLE, AMOUNT, WHOLE, WHOLE), max_size=3).map(tuple),
    pools=st.lists(st.builds(PoolDraw, WORD, WORD, WORD, WORD, WHOLE, WHOLE), max_size=3).map(tuple),
    lots=st.lists(st.builds(LotDraw, WORD, AMOUNT), max_size=3).map(tuple),
    debt=AMOUNT,
    rounding=WORD,
    decimals=WHOLE,
    price=st.none() | AMOUNT,
    postpaid=st.none() | AMOUNT,
)
HEADER: dict[str, Any] = {
    "schema": st.just(1), "occurred_at": INSTANT, "recorded_at": INSTANT, "actor": TEXT, "channel": TEXT,
    "reason": TEXT, "causation_id": TEXT,
}  # fmt: skip
DEBIT = st.builds(
    UsageDebited, **HEADER, call_type=WORD, started_at=WHOLE, duration_seconds=WHOLE, amount=AMOUNT, balance=AMOUNT,
    user=TEXT, flags=st.lists(WORD, max_size=3).map(tuple), proof=st.none() | PROOF,
    source=st.tuples(st.sampled_from(["kafka", "file", "stdin", "http"]), TEXT, WHOLE, WHOLE), commitment=st.just(b""),
    sealed=st.just(b""),
)  # fmt: skip
FUNDS = st.builds(
    FundsAdded, **HEADER, lot=WORD, kind=WORD, amount=AMOUNT, debt_covered=AMOUNT, expires_at=INSTANT, reference=TEXT,
    recharge_id=TEXT, balance=AMOUNT,
)  # fmt: skip
REVERSED = st.builds(
    UsageReversed, **HEADER, usage_id=TEXT, debit_version=WHOLE, started_at=WHOLE, user=TEXT, amount=AMOUNT,
    debt_reduced=AMOUNT, lots=st.lists(st.builds(LotPart, WORD, AMOUNT, st.booleans(), INSTANT), max_size=3).map(tuple),
    pools=st.lists(st.builds(PoolDraw, WORD, WORD, WORD, WORD, WHOLE, WHOLE), max_size=3).map(tuple), postpaid=AMOUNT,
    key=TEXT, balance=AMOUNT,
)  # fmt: skip
OTHERS = (
    st.builds(LotExpired, **HEADER, lot=WORD, amount=AMOUNT, balance=AMOUNT)
    | st.builds(RefundRequested, **HEADER, refund_id=WORD, key=TEXT, lot=WORD, amount=AMOUNT, debt=AMOUNT,
                provider_refund=WORD, balance=AMOUNT)
    | st.builds(RefundFailed, **HEADER, refund_id=WORD, code=WORD, amount=AMOUNT, debt_covered=AMOUNT, balance=AMOUNT)
    | st.builds(DisputeClosed, **HEADER, dispute_id=WORD, outcome=WORD, amount=AMOUNT, debt=AMOUNT, balance=AMOUNT)
)  # fmt: skip


@given(st.integers(1, 1 << 60), DEBIT | FUNDS | REVERSED | OTHERS)
def test_a_line_is_the_named_view_of_its_event(position: int, event: Entry) -> None:
    view = entry_view("main", position, event)

    assert entry_line(position, event).encode() == orjson.dumps(view, default=lambda amount: format(amount, "f"))


@given(OTHERS | REVERSED)
def test_what_leaves_the_balance_is_negative(event: Entry) -> None:
    comes = isinstance(event, UsageReversed | RefundFailed)
    assert signed_amount(event) == (event.amount if comes else -event.amount)


def test_a_dispute_that_is_won_changes_nothing_and_has_no_line() -> None:
    def closed(amount: str) -> DisputeClosed:
        return DisputeClosed(1, 0, 0, "", "", "", "", "dp", "", Decimal(amount), Decimal(0), Decimal(1))

    assert [is_entry(closed("1")), is_entry(closed("0.0000"))] == [True, False]


def test_equal_amounts_keep_their_own_decimals() -> None:
    def line(price: str) -> str:
        proof = Proof(None, None, None, None, None, Decimal(0), (), (), (), Decimal(price), "up", 2, Decimal(price))
        source = ("kafka", "t", 0, 1)
        amount = Decimal(price)
        return entry_line(
            1, UsageDebited(2, 0, 0, "", "", "", "u", "user_out", 0, 1, amount, amount, "", (), proof, source, b"", b"")
        )

    assert [line(price).count(f'"{price}"') for price in ("1", "1.0", "1.00", "0.0000000")] == [3, 3, 3, 4]
