"""domain.md, Corrections: debt first, then the lots that paid, last first; pools, post-paid and budgets likewise."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.account import CreditAccount, dump_account, load_account
from domain.commands import By, Funds, add_funds
from domain.corrections import reverse
from domain.errors import Refused
from domain.events import Event, UsageDebited, decode_state, encode_state
from domain.expiry import expire
from domain.months import DAY
from domain.payment_events import DisputeClosed, DisputeOpened, LotExpired, UsageReversed
from domain.usage import Usage
from tests.support.given import US_120_OWN, at, by, debit, decide, deck, do, fund, license_user, opened, rate, usage

EXACT = deck(rate("", "60", increment=1))  # one unit a second
NOW = "2026-11-23T10:00:00Z"


class Debited(NamedTuple):
    """A debit and its version."""

    event: UsageDebited
    version: int


def _debit(account: CreditAccount, seconds: int, start: str = "2026-11-22T10:00:00Z", usage_id: str = "u-1") -> Debited:
    event = debit(account, usage(seconds=seconds, start=start, usage_id=usage_id), rates=EXACT)
    return Debited(event, account.version)


def _reverse(account: CreditAccount, debited: Debited, now: str = NOW, key: str = "") -> UsageReversed:
    [event, *_] = do(account, reverse(account, by(now), debited.event, debited.version, key))
    assert isinstance(event, UsageReversed)
    return event


def _lots(account: CreditAccount) -> dict[str, int]:
    return {lot.id: int(lot.remaining) for lot in account.open_lots}


def _parts(event: UsageReversed) -> list[tuple[str, int, bool]]:
    return [(part.lot, int(part.amount), part.new) for part in event.lots]


def test_what_a_lot_paid_returns_to_it() -> None:
    account = opened(scale=0)
    fund(account, "10")
    debited = _debit(account, 4)
    event = _reverse(account, debited)
    assert (event.amount, event.balance, event.debt_reduced, _parts(event)) == (4, 10, 0, [("lot-2", 4, False)])
    assert (event.occurred_at, event.recorded_at) == (debited.event.occurred_at, at(NOW))
    assert (account.balance, _lots(account)) == (10, {"lot-2": 10})


def test_a_lot_that_was_used_up_pays_again_in_its_old_place() -> None:
    account = opened(scale=0)
    fund(account, "10", "2026-02-01T00:00:00Z")
    fund(account, "10", "2026-03-01T00:00:00Z")
    debited = _debit(account, 15)
    _reverse(account, debited)
    assert [(lot.id, lot.remaining) for lot in account.open_lots] == [("lot-2", 10), ("lot-3", 10)]


def test_debt_comes_first_and_then_the_lots_last_first() -> None:
    account = opened(scale=0)
    fund(account, "10", "2026-02-01T00:00:00Z")
    fund(account, "10", "2026-03-01T00:00:00Z")
    debited = _debit(account, 20)
    _debit(account, 7, usage_id="u-2")
    event = _reverse(account, debited)
    assert (event.debt_reduced, _parts(event)) == (7, [("lot-3", 10, False), ("lot-2", 3, False)])
    assert (account.balance, account.debt, _lots(account)) == (13, 0, {"lot-2": 3, "lot-3": 10})


def test_a_debit_that_is_debt_still_is_no_more() -> None:
    account = opened(scale=0)
    debited = _debit(account, 5)
    event = _reverse(account, debited)
    assert (event.debt_reduced, event.lots, account.balance, account.debt) == (5, (), 0, 0)


def test_debt_that_later_funds_covered_returns_to_them() -> None:
    account = opened(scale=0)
    fund(account, "6")
    debited = _debit(account, 10)
    fund(account, "3", "2026-11-22T11:00:00Z", now=NOW)  # covers 3 of the 4
    fund(account, "20", "2026-11-22T12:00:00Z", now=NOW)
    assert _lots(account) == {"lot-5": 19}
    event = _reverse(account, debited)
    assert _parts(event) == [("lot-5", 1, False), ("lot-4", 3, False), ("lot-2", 6, False)]
    assert (account.balance, _lots(account)) == (29, {"lot-2": 6, "lot-4": 3, "lot-5": 20})


def test_debt_that_another_correction_covered_returns_to_the_lot_whose_money_that_was() -> None:
    account = opened(scale=0)
    fund(account, "6")
    first = _debit(account, 10)
    second = _debit(account, 5, usage_id="u-2")
    assert account.debt == 9
    _reverse(account, first)  # its own 4, and 5 of lot-2's for the second
    assert (account.debt, _lots(account)) == (0, {"lot-2": 1})
    _reverse(account, second)
    assert (account.balance, _lots(account)) == (6, {"lot-2": 6})


def test_what_nobody_can_be_named_for_goes_to_lots_that_have_room_and_pay_the_last_first() -> None:
    account = opened(scale=0)
    fund(account, "5", "2025-06-01T00:00:00Z")
    _debit(account, 5, start="2026-05-31T00:00:00Z")  # that lot has expired since
    fund(account, "6", "2026-02-01T00:00:00Z")
    fund(account, "6", "2026-03-01T00:00:00Z")
    first = _debit(account, 16)
    second = _debit(account, 5, usage_id="u-2")
    _reverse(account, first)
    _debit(account, 3, usage_id="u-3")
    assert _lots(account) == {"lot-5": 4}
    event = _reverse(account, second)
    assert _parts(event) == [("lot-5", 2, False), ("lot-4", 3, False)]


def test_what_belonged_to_an_expired_lot_is_a_granted_lot_of_thirty_days() -> None:
    account = opened(scale=0)
    fund(account, "10", "2025-06-01T00:00:00Z")
    fund(account, "10", "2026-01-01T00:00:00Z")
    debited = _debit(account, 14, start="2026-05-31T00:00:00Z")
    event = _reverse(account, debited)
    new = f"lot-{account.version}"
    assert _parts(event) == [("lot-3", 4, False), (new, 10, True)]
    lot = account.lots[new]
    assert (lot.kind, lot.purchased_at, lot.expires_at) == ("granted", at(NOW), at(NOW) + 30 * DAY)
    assert [lot.id for lot in account.open_lots] == ["lot-3", new]
    assert account.spendable(at(NOW)) == account.balance == 20


def test_in_the_grace_nothing_is_put_into_a_lot_that_is_about_to_be_forfeited() -> None:
    account = opened(scale=0, expiry_grace_seconds=365 * 86_400)
    fund(account, "10", "2025-06-01T00:00:00Z")
    debited = _debit(account, 4, start="2026-05-31T00:00:00Z")
    _reverse(account, debited)
    assert (account.balance, account.spendable(at(NOW))) == (10, 4)


def test_a_lot_whose_money_went_back_to_the_bank_gets_nothing_more() -> None:
    account = opened(scale=0)
    fund(account, "10")
    debited = _debit(account, 4)
    header = (1, at(NOW), at(NOW), "", "engine", "", "")
    do(account, [DisputeOpened(*header, "dp", "lot-2", Decimal(10))])
    do(account, [DisputeClosed(*header, "dp", "lost", Decimal(10), Decimal(4), Decimal(-4))])
    fund(account, "20", NOW, now=NOW)
    assert (account.balance, _lots(account)) == (16, {"lot-6": 16})
    event = _reverse(account, debited)
    assert _parts(event) == [("lot-6", 4, False)]
    assert account.lots["lot-2"].remaining == 0


def test_what_only_an_expired_lot_has_room_for_is_a_lot_of_its_own() -> None:
    account = opened(scale=0)
    fund(account, "6")
    first = _debit(account, 10)
    second = _debit(account, 5, usage_id="u-2")
    _reverse(account, first)
    event = _reverse(account, second, now="2027-06-01T00:00:00Z")
    assert _parts(event) == [(f"lot-{account.version}", 5, True)]
    assert (account.balance, account.lots["lot-2"].remaining) == (6, 1)


def test_minutes_return_to_their_month() -> None:
    account = opened(scale=0)
    license_user(account, "ana", "MCOPSTN8", US_120_OWN)
    event = debit(account, usage("+12025550143", 150 * 60, start="2026-10-05T00:00:00Z"), rates=EXACT)
    debited = Debited(event, account.version)
    [pool] = account.pools.used
    assert (account.pools.used[pool], account.pools.remaining(pool)) == (120, 0)
    _reverse(account, debited)
    assert (account.pools.used, account.pools.remaining(pool), account.balance) == ({}, 120, 0)


def test_what_would_be_billed_later_is_not() -> None:
    account = opened(scale=0, when_empty="postpaid")
    fund(account, "10")
    debited = _debit(account, 25)
    event = _reverse(account, debited)
    assert (event.amount, event.postpaid, account.balance, account.postpaid) == (10, 15, 10, 0)


def test_usage_that_cost_nothing_is_taken_back_as_well() -> None:
    account = opened()
    event = debit(account, usage(call_type="emergency_out"))
    done = _reverse(account, Debited(event, account.version))
    assert (str(done.amount), str(done.postpaid), done.lots) == ("0.0000", "0.0000", ())


def test_a_closed_account_is_corrected_too() -> None:
    account = opened(scale=0)
    debited = _debit(account, 4)
    account.closed = True
    assert _reverse(account, debited).balance == 0


def test_a_second_time_is_refused_and_the_same_key_writes_nothing() -> None:
    account = opened(scale=0)
    debited = _debit(account, 4)
    _reverse(account, debited, key="k")
    again = load_account(dump_account(account))
    assert reverse(again, by(NOW), debited.event, debited.version, "k") == []
    for key in ("", "other"):
        with pytest.raises(Refused) as refused:
            reverse(again, by(NOW), debited.event, debited.version, key)
        assert refused.value.code == "already_reversed"
    other = _debit(account, 4, usage_id="u-2")
    with pytest.raises(Refused) as refused:
        reverse(account, by(NOW), other.event, other.version, "k")
    assert (refused.value.code, refused.value.field) == ("key_conflict", "key")


def test_without_a_key_each_time_is_a_time_of_its_own() -> None:
    account = opened(scale=0)
    first, second = _debit(account, 4), _debit(account, 4, usage_id="u-2")
    _reverse(account, first)
    _reverse(account, second)
    with pytest.raises(Refused):
        reverse(account, by(NOW), first.event, first.version)


class Story:
    """An account through calls, funds, expiries and corrections; and sums beside it."""

    def __init__(self, postpaid: bool) -> None:
        self.account = opened(scale=0, when_empty="postpaid" if postpaid else "stop", expiry_months=2)
        self.now = at("2026-01-01T00:00:00Z")
        self.events: list[Event] = []
        self.standing: list[Debited] = []
        self.sum = self.later = 0

    def by(self) -> By:
        return By(self.now, "", "cli")

    def append(self, events: list[Event]) -> None:
        for event in do(self.account, events):
            self.events.append(event)
            if isinstance(event, UsageDebited):
                self.standing.append(Debited(event, self.account.version))
        self.check()

    def check(self) -> None:
        account = self.account
        lots = sum(lot.remaining for lot in account.lots.values())
        assert lots - account.debt == account.balance == self.sum
        assert account.debt >= 0
        assert account.postpaid == self.later
        for lot in account.lots.values():
            assert 0 <= lot.remaining <= lot.amount
        assert [lot.id for lot in account.open_lots] == [
            lot.id for lot in sorted(account.lots.values(), key=lambda lot: lot.order) if lot.remaining
        ]

    def fund(self, amount: int, days_ago: int) -> None:
        self.sum += amount
        self.append(add_funds(self.account, self.by(), Funds(Decimal(amount), at=self.now - days_ago * DAY)))

    def call(self, seconds: int, days_ago: int) -> None:
        call = Usage("u", "contoso", "user_out", self.now - days_ago * DAY, seconds, callee="+44")
        amount, balance, flags, proof = decide(self.account, call, "", EXACT)
        assert proof is not None
        self.sum -= int(amount)
        self.later += int(proof.postpaid or 0)
        event = UsageDebited(
            2, call.started_at, self.now, "", "file", "", "u", "user_out", call.started_at, seconds, amount, balance,
            "", flags, proof, ("file", "x", 1, 0), b"", b"",
        )  # fmt: skip
        self.append([event])

    def pass_days(self, days: int) -> None:
        self.now += days * DAY
        events = expire(self.account, self.by())
        self.sum -= sum(int(event.amount) for event in events if isinstance(event, LotExpired))
        self.append(events)

    def reverse(self, place: int) -> None:
        if not self.standing:
            return
        debited = self.standing.pop(place % len(self.standing))
        [event] = reverse(self.account, self.by(), debited.event, debited.version)
        assert isinstance(event, UsageReversed)
        assert event.debt_reduced + sum(part.amount for part in event.lots) == event.amount == debited.event.amount
        assert all(part.amount > 0 and part.expires_at >= self.now for part in event.lots)
        self.sum += int(event.amount)
        self.later -= int(event.postpaid)
        self.append([event])


STEPS = st.lists(
    st.tuples(st.just("fund"), st.integers(1, 30), st.integers(0, 70))
    | st.tuples(st.just("call"), st.integers(0, 25), st.integers(0, 20))
    | st.tuples(st.just("reverse"), st.integers(0, 9), st.just(0))
    | st.tuples(st.just("pass_days"), st.integers(0, 30), st.just(0)),
    max_size=25,
)


@given(STEPS, st.booleans())
def test_lots_less_debt_is_the_balance_whatever_is_taken_back(
    steps: list[tuple[str, int, int]], postpaid: bool
) -> None:
    story = Story(postpaid)
    for kind, first, second in steps:
        if kind in ("fund", "call"):
            getattr(story, kind)(first, second)
        else:
            getattr(story, kind)(first)
    replayed = load_account(
        dump_account(opened(scale=0, when_empty="postpaid" if postpaid else "stop", expiry_months=2))
    )
    for version, event in enumerate(story.events, 2):
        replayed.apply(decode_state(type(event).__name__, encode_state(event)), version)
    assert dump_account(replayed) == dump_account(story.account)
    assert dump_account(load_account(dump_account(replayed))) == dump_account(replayed)


@given(STEPS, st.permutations(range(25)))
def test_when_all_is_taken_back_every_lot_is_whole_again(steps: list[tuple[str, int, int]], order: list[int]) -> None:
    story = Story(postpaid=False)
    bought = Fraction(0)
    for kind, first, second in steps:
        if kind == "fund":
            story.fund(first, 0)
            bought += first
        elif kind in ("call", "reverse"):
            getattr(story, kind)(*(first, second)[: 2 if kind == "call" else 1])
    for place in order:
        story.reverse(place)
    assert (story.account.balance, story.account.debt) == (bought, 0)
    assert all(lot.remaining == lot.amount and lot.kind == "purchased" for lot in story.account.lots.values())
