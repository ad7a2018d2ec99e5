"""domain.md, *Rates* and design.md, *Money, rating, pools*: what a call costs by its rate."""

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import BilledSlot
from domain.rates import BadRate, Slot, Terms, check_slots
from domain.rating import price, recompute
from tests.support.decks import terms

PER_MINUTE = terms((0, "0.12", 60))


@pytest.mark.parametrize(
    ("seconds", "charge"),
    [(1, "0.1200"), (59, "0.1200"), (60, "0.1200"), (61, "0.2400"), (125, "0.3600"), (3600, "7.2000")],
)
def test_rounding_up_to_whole_minutes_is_the_default(seconds: int, charge: str) -> None:
    assert str(price(PER_MINUTE, 4, "half-up", seconds).amount) == charge


@pytest.mark.parametrize(
    ("name", "slots", "seconds", "billed"),
    [
        ("60/60", ((0, "0.12", 60),), 61, 120),
        ("60/1", ((0, "0.12", 60), (60, "0.12", 1)), 7, 60),
        ("60/1", ((0, "0.12", 60), (60, "0.12", 1)), 61, 61),
        ("30/6", ((0, "0.12", 30), (30, "0.12", 6)), 29, 30),
        ("30/6", ((0, "0.12", 30), (30, "0.12", 6)), 31, 36),
        ("6/6", ((0, "0.12", 6),), 31, 36),
        ("1/1", ((0, "0.12", 1),), 31, 31),
    ],
)
def test_the_billing_increment_is_set_per_rate(
    name: str, slots: tuple[tuple[int, str, int], ...], seconds: int, billed: int
) -> None:
    charge = price(terms(*slots), 4, "half-up", seconds)

    assert charge.billed_seconds == billed, name
    assert charge.amount == (Decimal("0.12") * billed / 60).quantize(Decimal("0.0001"))


def test_the_connection_fee_is_charged_once_a_call() -> None:
    charge = price(terms((0, "0.12", 60), fee="0.05"), 4, "half-up", 61)

    assert (charge.amount, charge.connection_fee) == (Decimal("0.2900"), Decimal("0.05"))


def test_a_call_of_no_seconds_costs_nothing_but_the_fee_where_that_is_wanted() -> None:
    rated = terms((0, "0.12", 60), fee="0.05")

    assert price(rated, 4, "half-up", 0, with_fee=False).amount == 0
    assert price(rated, 4, "half-up", 0, with_fee=True).amount == Decimal("0.05")


def test_a_slot_bills_what_lies_in_it_by_its_own_increment() -> None:
    charge = price(terms((0, "0.12", 60), (60, "0.09", 1)), 4, "half-up", 125)

    assert charge.slots == (BilledSlot(0, Decimal("0.12"), 60, 60), BilledSlot(60, Decimal("0.09"), 1, 65))
    assert charge.amount == Decimal("0.2175")


def test_a_later_slot_starts_where_the_billed_time_of_the_one_before_it_ends() -> None:
    charge = price(terms((0, "0.60", 25), (60, "0.06", 30)), 4, "half-up", 100)

    assert charge.slots == (BilledSlot(0, Decimal("0.6"), 25, 75), BilledSlot(75, Decimal("0.06"), 30, 30))
    assert charge.billed_seconds == 105


def test_a_slot_that_billed_time_has_passed_bills_nothing() -> None:
    charge = price(terms((0, "0.60", 120), (60, "0.30", 1), (90, "0.06", 1)), 4, "half-up", 130)

    assert charge.slots == (BilledSlot(0, Decimal("0.6"), 120, 120), BilledSlot(120, Decimal("0.06"), 1, 10))


def test_after_a_pool_rating_begins_at_its_second_in_the_slot_in_force_there() -> None:
    charge = price(terms((0, "0.12", 60), (60, "0.09", 30)), 4, "half-up", 215, from_second=120, with_fee=False)

    assert charge.slots == (BilledSlot(120, Decimal("0.09"), 30, 120),)


def test_after_a_pool_that_paid_all_nothing_is_billed() -> None:
    charge = price(PER_MINUTE, 4, "half-up", 100, from_second=120, with_fee=False)

    assert (charge.amount, charge.slots, charge.billed_seconds) == (0, (), 0)


@pytest.mark.parametrize(
    ("rounding", "charge"), [("half-up", "0.13"), ("half-even", "0.12"), ("up", "0.13"), ("down", "0.12")]
)
def test_the_sum_is_rounded_once_by_the_decks_rule(rounding: str, charge: str) -> None:
    assert str(price(terms((0, "0.125", 60)), 2, rounding, 60).amount) == charge


def test_rates_keep_all_their_decimals_until_the_sum_is_rounded() -> None:
    assert price(terms((0, "0.000001", 60)), 4, "half-up", 60 * 50).amount == Decimal("0.0001")


def test_slots_of_one_price_and_increment_are_one_slot() -> None:
    assert (
        terms((0, "0.10", 60), (60, "0.1", 60), (120, "0.2", 60)).slots == terms((0, "0.1", 60), (120, "0.2", 60)).slots
    )


@pytest.mark.parametrize(
    "slots",
    [
        (),
        ((1, "0.1", 60),),
        ((0, "0.1", 0),),
        ((0, "0.1", 60), (0, "0.2", 60)),
        ((0, "0.1", 60), (60, "0.2", 60), (30, "0.3", 60)),
        ((0, "0.1", 10**9),),
    ],
)
def test_slots_that_could_not_bill_a_call_are_refused(slots: tuple[tuple[int, str, int], ...]) -> None:
    with pytest.raises(BadRate):
        check_slots([Slot(start, Decimal(each), increment) for start, each, increment in slots], None)


amounts = st.decimals(min_value=0, max_value=999_999, places=6) | st.integers(0, 10**12 - 1).map(
    lambda units: Decimal(units).scaleb(-12)
)
increments = st.sampled_from((1, 6, 7, 25, 30, 60, 90, 3600))


@st.composite
def any_terms(draw: st.DrawFn) -> Terms:
    starts = [0, *sorted(draw(st.sets(st.integers(1, 400), max_size=4)))]
    return Terms(draw(amounts), [Slot(start, draw(amounts), draw(increments)) for start in starts])


def expected(
    rated: Terms, decimals: int, rounding: str, duration: int, from_second: int, with_fee: bool
) -> tuple[Decimal, int]:
    """Second by second: a call begins an increment whenever the last one is used up, in the slot of that second."""
    total = Fraction(rated.connection_fee) if with_fee else Fraction(0)
    second = from_second
    while second < duration:
        index = max(i for i, slot in enumerate(rated.slots) if slot.from_second <= second)
        slot = rated.slots[index]
        total += Fraction(slot.rate_per_minute) * slot.increment_seconds / 60
        second += slot.increment_seconds
    scaled = total * 10**decimals
    whole = {
        "half-up": lambda: floor(scaled + Fraction(1, 2)),
        "half-even": lambda: round(scaled),
        "up": lambda: ceil(scaled),
        "down": lambda: floor(scaled),
    }[rounding]()
    return Decimal(whole).scaleb(-decimals), max(0, second - from_second)


roundings = st.sampled_from(("half-up", "half-even", "up", "down"))


@given(any_terms(), st.integers(0, 8), roundings, st.integers(0, 1500), st.integers(0, 12), st.booleans())
def test_the_charge_is_that_of_an_independent_exact_computation(
    rated: Terms, decimals: int, rounding: str, duration: int, pool_minutes: int, with_fee: bool
) -> None:
    from_second = pool_minutes * 60

    charge = price(rated, decimals, rounding, duration, from_second, with_fee)

    assert (charge.amount, charge.billed_seconds) == expected(
        rated, decimals, rounding, duration, from_second, with_fee
    )
    assert charge.amount.as_tuple().exponent == -decimals


@given(any_terms(), st.integers(0, 8), roundings, st.integers(0, 100_000), st.integers(0, 400), st.booleans())
def test_the_charge_can_be_computed_again_from_its_proof_alone(
    rated: Terms, decimals: int, rounding: str, duration: int, from_second: int, with_fee: bool
) -> None:
    charge = price(rated, decimals, rounding, duration, from_second, with_fee)

    assert recompute(charge.connection_fee, charge.slots, decimals, rounding) == charge.amount
    assert sum(slot.billed_seconds for slot in charge.slots) == charge.billed_seconds
