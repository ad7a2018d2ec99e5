"""The longest call that authorization promises, held against the debit itself: it is covered, a second more is not."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import event, given
from hypothesis import strategies as st

from domain.account import CreditAccount
from domain.authorize import authorize
from domain.budgets import Budget, breaks_hard
from domain.debit import decide_rated
from domain.lots import NEVER, Lot
from domain.months import DAY
from domain.numbers import parse_number
from domain.rates import Rate, Slot, Terms
from domain.tariff import Deck, Match
from domain.usage import MAX_DURATION_SECONDS, Usage, charged_direction
from tests.support.given import CREDITS, DIALOUT, NOW, US_120, US_120_OWN, US_BOTH, at, deck, license_user, opened

START = at(NOW)
USER, NUMBER = "ana", "+12025550123"


def amounts(most: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(0), Decimal(most), places=places)


@st.composite
def accounts(draw: st.DrawFn) -> CreditAccount:
    scale = draw(st.sampled_from((0, 2, 4)))
    account = opened(scale=scale, when_empty=draw(st.sampled_from(("stop", "stop", "stop", "postpaid"))))
    if draw(st.integers(0, 3)):
        license_user(account, USER, "MCOPSTNPP", CREDITS)
    for plan, limits in (("MCOPSTN5", US_120), ("MCOPSTN8", US_120_OWN), ("MCOPSTN2", US_BOTH)):
        if draw(st.integers(0, 3)) == 0:
            license_user(account, USER, plan, limits)
    if draw(st.booleans()):
        license_user(account, USER, "MCOMEETADD", DIALOUT)
    month = account.months.of(START)
    for pool in account.pools.known(month):
        account.pools.used[pool] = draw(st.integers(0, account.pools.size(pool) + 2))
    zero = Decimal(0).scaleb(-scale)
    ends = st.sampled_from((-DAY, 0, DAY, NEVER // 4))
    bought = draw(st.lists(st.tuples(amounts("30", scale), ends), max_size=3))
    lots = [
        Lot(f"lot-{number}", "purchased", number, START + end, left, left, number)
        for number, (left, end) in enumerate(bought)
    ]
    account.lots = {lot.id: lot for lot in lots}
    account.sort_lots()
    account.debt = draw(st.sampled_from((zero, zero, Decimal(1) + zero)))
    account.balance = sum((lot.remaining for lot in account.open_lots), zero) - account.debt
    for user in draw(st.lists(st.sampled_from(("", USER, "bob")), max_size=2, unique=True)):
        spent = {month: draw(amounts("10", scale))}
        account.budgets[user] = Budget(draw(amounts("12", scale)), draw(st.booleans()), spent)
    return account


@st.composite
def decks(draw: st.DrawFn) -> Deck:
    starts = sorted({0, *draw(st.lists(st.integers(1, 400), max_size=3))})
    increments = st.sampled_from((1, 6, 7, 30, 60, 86_400))
    rates = st.one_of(amounts("3", 2), amounts("0.1", 6), amounts("5", 0))
    slots = [Slot(start, draw(rates), draw(increments)) for start in starts]
    terms = Terms(draw(st.one_of(st.just(Decimal(0)), amounts("2", 3))), slots)
    rounding = draw(st.sampled_from(("half-up", "half-even", "up", "down")))
    return deck(Rate("", None, "out", "", None, None, terms), decimals=draw(st.integers(0, 6)), rounding=rounding)


def covered(account: CreditAccount, call: Usage, seconds: int, match: Match) -> bool:
    """By the debit itself: what it would draw is there, and credit is drawn on only by who may."""
    number = parse_number(call.callee)
    assert number is not None
    usage = Usage("u", "contoso", call.call_type, START, seconds, callee=call.callee, user_id=call.user_id)
    debit = decide_rated(account, usage, USER, number, "out", match)
    proof = debit.proof
    assert proof is not None
    if not proof.connection_fee and not any(slot.rate_per_minute for slot in proof.slots):
        return True  # pools pay it, or nothing is to be paid
    spendable = account.spendable(START)
    cost = debit.amount + (proof.postpaid or 0)
    month = account.months.of(START)
    hard = [each.remaining(month) for user, each in account.budgets.items() if each.hard and user in ("", USER)]
    return (
        account.pools.licensed(USER, START)
        and (account.is_postpaid or (spendable > 0 and not proof.debt and cost <= spendable))
        and all(left > 0 for left in hard)
        and not breaks_hard(account.budgets, USER, month, cost)
    )


@given(accounts(), decks(), st.sampled_from(("user_out", "conf_out")))
def test_the_longest_call_is_covered_and_a_second_more_is_not(
    account: CreditAccount, rates: Deck, call_type: str
) -> None:
    call = Usage("", "contoso", call_type, START, 0, callee=NUMBER, user_id="ana@contoso.com")
    assert charged_direction(call) == "out"
    match = rates.find(parse_number(NUMBER), None, "out", START)  # type: ignore[arg-type]
    assert isinstance(match, Match)

    decision = authorize(account, call, USER, rates)

    event(decision.reason)
    event("+".join(decision.paid_from))
    longest = decision.max_seconds
    assert decision.allowed == (longest != 0)
    if longest is None:
        assert covered(account, call, MAX_DURATION_SECONDS, match)
        return
    assert longest == 0 or covered(account, call, longest, match)
    assert longest == MAX_DURATION_SECONDS or not covered(account, call, longest + 1, match)
