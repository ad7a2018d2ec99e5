"""What a decision records is what the record alone computes to, whatever the rate, the pools and the call."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from application.explain import _checks_of_record, recomputed_amount
from domain.budgets import cost_of
from domain.rates import DeckVersion, Rate, Slot, Terms
from domain.tariff import Deck
from tests.support.given import US_120_OWN, US_BOTH, debit, fund, license_user, opened, usage

PRICES = st.decimals(0, 5, places=6, allow_nan=False)
SLOTS = st.lists(st.tuples(st.integers(1, 400), PRICES, st.integers(1, 90)), min_size=1, max_size=4)


@st.composite
def decks(draw: st.DrawFn) -> Deck:
    """One rate for all numbers, of some slots."""
    slots, begun = [], 0
    for step, price, increment in draw(SLOTS):
        slots.append(Slot(begun, price, increment))
        begun += step
    terms = Terms(draw(PRICES), slots)
    decimals, rounding = draw(st.integers(0, 8)), draw(st.sampled_from(["half-up", "half-even", "up", "down"]))
    version = DeckVersion("d", 1, "EUR", decimals, rounding, None, "", 1)
    return Deck([version], lambda _: [Rate("", None, "out", "", None, None, terms)])


@given(
    decks(),
    st.lists(st.integers(0, 4_000), min_size=1, max_size=6),
    st.integers(0, 8),
    st.booleans(),
    st.sampled_from(["", "0.03", "500"]),
    st.sampled_from(["stop", "postpaid"]),
)
def test_every_debit_that_is_decided_passes_every_check(
    rates: Deck, durations: list[int], scale: int, zero_second_fee: bool, funds: str, when_empty: str
) -> None:
    account = opened(scale=scale, zero_second_fee=zero_second_fee, when_empty=when_empty)
    if funds and Decimal(funds).normalize().as_tuple().exponent >= -scale:  # type: ignore[operator]
        fund(account, funds)
    license_user(account, "ana", "MCOPSTN8", US_120_OWN)
    license_user(account, "ana", "MCOPSTN2", US_BOTH)
    for number, seconds in enumerate(durations):
        event = debit(account, usage("+12025550143", seconds, usage_id=f"u-{number}"), rates=rates)
        recomputed = recomputed_amount(event.proof, scale)
        assert recomputed == cost_of(event)
        assert event.proof is not None
        assert (event.proof.postpaid is None) == (when_empty == "stop")
        assert [check for check in _checks_of_record(event, recomputed) if check.passed is not True] == []


@given(st.decimals(0, 100, places=12, allow_nan=False), st.decimals(0, 9, places=12), st.integers(0, 8))
def test_every_debit_as_priced_passes_every_check(charge: Decimal, fee: Decimal, scale: int) -> None:
    account = opened(scale=scale, pricing="as-priced")
    event = debit(account, usage(charge=charge, connection_fee=fee))
    recomputed = recomputed_amount(event.proof, scale)
    assert [check for check in _checks_of_record(event, recomputed) if check.passed is not True] == []
