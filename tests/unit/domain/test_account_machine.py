"""A stateful machine on the account, held against a model that computes everything anew by fractions and a queue.

Usage, licences, funds, purchases, recharges with all that a bank may answer (or whose answer is lost), refunds,
disputes, corrections, expiry, caps, budgets. Invariants: lots - debt = balance; no pool and no lot below 0; no recharge
open twice and none overlooked; one payment taken per recharge and purchase, and booked; a snapshot is the account;
replaying the events gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain import commands, corrections, expiry, methods, payments, purchases, refunds
from domain.account import CreditAccount, dump_account, load_account
from domain.budget_commands import set_budget
from domain.commands import By, Funds, Level
from domain.duties import duties
from domain.events import Event, UsageDebited, decode_state, encode_state
from domain.months import DAY
from domain.recharge import POLICY
from domain.triggers import look_again
from tests.support.given import US_120, US_120_OWN, US_BOTH, at, decide, deck, opened, rate, usage
from tests.support.money_model import HOUR, Money, month_of

START = at("2026-06-01T00:00:00Z")
RATES = deck(rate("", "0.5", fee="0.03"), rate("44", "0.07", increment=6), rate("1", "0.0101", increment=1))
PLANS = {"MCOPSTN2": US_BOTH, "MCOPSTN5": US_120, "MCOPSTN8": US_120_OWN}
ANSWERS: Final = ("succeeded", "succeeded", "soft", "hard", "asked", "processing", "lost", "lost and taken")
amounts = st.integers(1, 3_000_000).map(lambda units: Decimal(units).scaleb(-4))
whole = st.integers(50, 500).map(Decimal)
users = st.sampled_from(["ana", "bob", ""])
which = st.integers(0, 99)


class Account(RuleBasedStateMachine):
    @initialize(is_old=st.booleans())
    def open(self, is_old: bool) -> None:
        self.account = opened()
        self.model = Money()
        self.events: list[Event] = []
        self.now = START
        self.minutes: dict[tuple[str, int], int] = {}
        self.taken: dict[str, Decimal] = {}  # the provider's ledger: what it took, told or not
        self.calls: list[tuple[UsageDebited, int]] = []
        if is_old:  # it has a card, credit that was bought with it, and auto-recharge
            self.a_card_is_saved("tok-1")
            self.a_purchase_is_asked_for(Decimal(60), "")
            self.work_goes_on(["succeeded"])
            self.recharge_is_set(Decimal(60), 50, None, None)

    def _by(self) -> By:
        return By(self.now, "ana", "cli")

    def _append(self, events: Sequence[Event]) -> list[Event]:
        written = commands.with_trigger(self.account, events)
        for event in written:
            self.events.append(event)
            self.model.hear(event)
            if isinstance(event, UsageDebited):
                self._check_minutes(event)
        self.model.nothing_is_overlooked(self.account.recorded_at)
        return written

    def _check_minutes(self, event: UsageDebited) -> None:
        assert event.proof is not None
        for draw in event.proof.pools:
            key = (f"{draw.plan}/{draw.user}", draw.month)
            self.minutes[key] = self.minutes.get(key, 0) + draw.minutes
        seconds = sum(draw.minutes for draw in event.proof.pools) * 60
        billed = sum(slot.billed_seconds for slot in event.proof.slots)
        assert seconds + billed >= event.duration_seconds

    @rule(hours=st.integers(0, 30) | st.integers(0, 24 * 40))
    def time_passes(self, hours: int) -> None:
        self.now += hours * DAY // 24
        self._append(expiry.expire(self.account, self._by()))
        self._append(look_again(self.account, self.now))

    @rule(amount=amounts, days_ago=st.integers(0, 400), granted=st.booleans(), for_recharge=st.booleans())
    def funds_come(self, amount: Decimal, days_ago: int, granted: bool, for_recharge: bool) -> None:
        of = self.account.recharge.recharge_id if for_recharge else ""
        if of in self.taken:
            return
        funds = Funds(amount, at=self.now - days_ago * DAY, granted=granted, recharge_id=of)
        self._append(commands.add_funds(self.account, self._by(), funds, cancelled=True))

    @rule(
        callee=st.sampled_from(["+442071234567", "+12125550100", "+38612345678", "+4420712*****"]),
        seconds=st.integers(0, 40_000),
        days_ago=st.integers(0, 60),
        user=users,
    )
    def a_call_is_reported(self, callee: str, seconds: int, days_ago: int, user: str) -> None:
        call = usage(callee, seconds, start="2026-06-01T00:00:00Z", usage_id=f"u-{len(self.events)}")
        call = type(call)(
            call.usage_id, call.account_id, call.call_type, self.now - days_ago * DAY, seconds, callee=callee
        )
        amount, balance, flags, proof = decide(self.account, call, user, RATES)
        event = UsageDebited(
            UsageDebited.VERSION, call.started_at, max(self.now, self.account.recorded_at), "", "kafka", "",
            call.usage_id,
            call.call_type, call.started_at, seconds, amount, balance, user, flags, proof, ("file", "x", 1, 0), b"",
            b"",
        )  # fmt: skip
        self.calls.append((event, self.account.version + 1))
        self._append([event])

    @precondition(lambda self: self.calls)
    @rule(which=which)
    def a_call_is_reversed(self, which: int) -> None:
        debit, version = self.calls.pop(which % len(self.calls))
        (undone, *_) = self._append(corrections.reverse(self.account, self._by(), debit, version))
        for draw in debit.proof.pools if debit.proof is not None else ():
            self.minutes[f"{draw.plan}/{draw.user}", draw.month] -= draw.minutes
        assert undone.recorded_at >= debit.recorded_at

    @rule(user=users, amount=st.integers(0, 100), hard=st.booleans())
    def a_budget_is_set(self, user: str, amount: int, hard: bool) -> None:
        counted = {
            int(month.replace("-", "")): Decimal(spent.numerator) / Decimal(spent.denominator)
            for (whom, month), spent in self.model.spent.items()
            if whom == user
        }
        self._append(set_budget(self.account, self._by(), user, Decimal(amount), hard, lambda: counted))

    @rule(user=st.sampled_from(["ana", "bob"]), plan=st.sampled_from(sorted(PLANS)))
    def a_licence_is_assigned(self, user: str, plan: str) -> None:
        self._append(commands.assign_licence(self.account, self._by(), user, plan, "US", None, None, PLANS[plan]))

    @precondition(lambda self: self.account.pools.licences)
    @rule(user=st.sampled_from(["ana", "bob"]), plan=st.sampled_from(sorted(PLANS)))
    def a_licence_is_removed(self, user: str, plan: str) -> None:
        held = self.account.pools.licences.get(user, [])
        if any(licence.plan == plan and licence.removed_at is None for licence in held):
            self._append(commands.remove_licence(self.account, self._by(), user, plan))

    @rule(amount=whole, below=st.integers(0, 100), to=st.none() | st.integers(100, 400), cap=st.none() | whole)
    def recharge_is_set(self, amount: Decimal, below: int, to: int | None, cap: Decimal | None) -> None:
        target = None if to is None else Decimal(to)
        level = Level(Decimal(below), amount if to is None else None, target, cap)
        self._append(commands.set_recharge(self.account, self._by(), level, Decimal(50)))

    @rule(amount=whole, day=st.integers(1, 28))
    def a_standing_top_up_is_set(self, amount: Decimal, day: int) -> None:
        self._append(commands.set_standing(self.account, self._by(), amount, day, Decimal(50)))

    @rule(every_only=st.booleans())
    def recharge_is_switched_off(self, every_only: bool) -> None:
        self._append(commands.recharge_off(self.account, self._by(), every_only))

    @precondition(lambda self: self.account.recharge.state != "off")
    @rule()
    def recharge_is_resumed(self) -> None:
        self._append(commands.resume(self.account, self._by()))

    @rule(token=st.sampled_from(["tok-1", "tok-2"]))
    def a_card_is_saved(self, token: str) -> None:
        self._append(
            methods.add_card(self.account, self._by(), "stripe", "cus-1", token, "visa", token[-1] * 4, 203012)
        )

    @precondition(lambda self: self.account.methods)
    @rule(which=which, remove=st.booleans())
    def another_card_is_the_default(self, which: int, remove: bool) -> None:
        method = list(self.account.methods)[which % len(self.account.methods)]
        change = methods.remove_method if remove else methods.default_method
        self._append(change(self.account, self._by(), method))

    @precondition(lambda self: self.account.methods)
    @rule(amount=whole, key=st.sampled_from(["", "k-1", "k-2"]))
    def a_purchase_is_asked_for(self, amount: Decimal, key: str) -> None:
        known = purchases.purchase_by_key(self.account, key)
        decided = purchases.request_purchase(
            self.account, self._by(), amount if known is None else known.amount, "", key, Decimal(50)
        )
        assert (decided == []) == (known is not None)
        self._append(decided)

    @precondition(lambda self: self.account.payments)
    @rule(answers=st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=4))
    def work_goes_on(self, answers: list[str]) -> None:
        """Every payment's next steps; the bank's answer may be lost on the way."""
        for of in list(self.account.payments):
            for answer in ["", "", *answers]:
                step = payments.step(self.account, of, self.now)
                if step is not None:
                    self._take(of, step, answer or answers[0])

    def _take(self, of: str, step: payments.Step, answer: str) -> None:
        if step.what == payments.CREATE:
            self._append(payments.payment_created(self.account, self._by(), of, "stripe", f"pi-{of}"))
        elif step.what == payments.TRY:
            self._append(payments.payment_tried(self.account, self._by(), of, step.present))
            self._ask(of, answer)
        elif step.what != payments.CANCEL:
            self._ask(of, answer)
        elif of in self.taken:
            self._tell(of, "succeeded")
        else:
            self._append(payments.payment_cancelled(self.account, self._by(), of, step.cause))

    @precondition(lambda self: self.account.payments)
    @rule(which=which, answer=st.sampled_from(ANSWERS))
    def the_customer_comes(self, which: int, answer: str) -> None:
        of = list(self.account.payments)[which % len(self.account.payments)]
        payment = self.account.payments[of]
        if payment.state == "action_required" and payments.method_of(self.account, payment) is not None:
            tried = self._append(payments.payment_tried(self.account, self._by(), of, present=True))
            assert bool(tried) == (not payment.cancelling)
            if tried:
                self._ask(of, answer)

    def _ask(self, of: str, answer: str) -> None:
        if of not in self.taken and answer in ("succeeded", "lost and taken"):
            self.taken[of] = self.account.payments[of].amount
        if not answer.startswith("lost"):
            self._tell(of, "succeeded" if of in self.taken else answer)

    def _tell(self, of: str, answer: str) -> list[Event]:
        account, who = self.account, self._by()
        if answer == "succeeded":
            return self._append(payments.payment_succeeded(account, who, of, self.taken[of]))
        if answer == "asked":
            return self._append(payments.payment_action_required(account, who, of, self.now + 72 * HOUR))
        if answer == "processing":
            return self._append(payments.payment_processing(account, who, of))
        hard = answer == "hard"
        code = "expired_card" if hard else "do_not_honor"
        decision = payments.payment_declined(account, who, of, code, "", hard, "", POLICY.retry_schedule)
        return self._append(decision)

    @precondition(lambda self: self.model.over)
    @rule(which=which, answer=st.sampled_from(["succeeded", "soft", "hard", "asked", "processing"]))
    def what_is_over_is_told_again(self, which: int, answer: str) -> None:
        of = sorted(self.model.over)[which % len(self.model.over)]
        if answer != "succeeded" or of in self.taken:
            assert self._tell(of, answer) == []

    def _provider_lots(self) -> list[str]:
        return [lot.id for lot in self.account.lots.values() if lot.payment_id]

    @precondition(lambda self: self._provider_lots())
    @rule(which=which, part=st.integers(1, 100), dashboard=st.booleans())
    def money_is_refunded(self, which: int, part: int, dashboard: bool) -> None:
        lot = self.account.lots[self._provider_lots()[which % len(self._provider_lots())]]
        if dashboard:
            rest = lot.amount - lot.refunded
            amount = (rest * part / 100).quantize(Decimal("0.0001"), "ROUND_DOWN")
            if amount > 0:
                name = f"re-{len(self.events)}"
                self._append(refunds.refund_booked(self.account, self._by(), lot.payment_id, name, amount))
        elif lot.remaining and not lot.held and lot.expires_at >= max(self.now, self.account.recorded_at):
            amount = (lot.remaining * part / 100).quantize(Decimal("0.0001"), "ROUND_UP")
            self._append(refunds.request_refund(self.account, self._by(), lot.id, amount))

    @precondition(lambda self: self.account.refunds)
    @rule(which=which, end=st.sampled_from(["sent", "succeeded", "failed"]))
    def a_refund_goes_on(self, which: int, end: str) -> None:
        refund = list(self.account.refunds)[which % len(self.account.refunds)]
        if end == "sent":
            self._append(refunds.refund_sent(self.account, self._by(), refund, f"re-{refund}"))
        elif end == "succeeded":
            self._append(refunds.refund_succeeded(self.account, self._by(), refund))
        else:
            self._append(refunds.refund_failed(self.account, self._by(), refund, "failed"))

    @precondition(lambda self: self._provider_lots())
    @rule(which=which, number=st.integers(1, 3), state=st.sampled_from(["open", "open", "won", "lost"]))
    def a_dispute_is_told_of(self, which: int, number: int, state: str) -> None:
        lot = self.account.lots[self._provider_lots()[which % len(self._provider_lots())]]
        known = self.account.disputes.get(f"dp-{number}")
        amount = lot.amount - lot.refunded
        if known is None and amount <= 0:
            return
        while events := refunds.dispute_seen(
            self.account, self._by(), f"dp-{number}", lot.payment_id, state, amount
        ):  # fmt: skip
            self._append(events)

    @invariant()
    def the_money_is_the_models(self) -> None:
        account, model = self.account, self.model
        lots = sum((Fraction(lot.remaining) for lot in account.lots.values()), Fraction(0))
        assert lots - Fraction(account.debt) == Fraction(account.balance) == model.balance
        assert account.debt == model.debt >= 0
        assert {lot.id: Fraction(lot.remaining) for lot in account.lots.values()} == {
            name: lot.left for name, lot in model.lots.items()
        }
        assert all(0 <= lot.remaining <= lot.amount for lot in account.lots.values())
        assert [lot.order for lot in account.open_lots] == sorted(lot.order for lot in account.open_lots)
        assert Fraction(account.spendable(self.now)) == model.spendable(self.now)

    @invariant()
    def what_is_on_its_way_is_the_models(self) -> None:
        account, model = self.account, self.model
        assert account.recharge.state == model.state
        assert account.recharge.recharge_id == model.open
        assert account.payments.keys() == model.payments.keys()
        assert {of: bool(payment.cancelling) for of, payment in account.payments.items()} == {
            of: payment.ending for of, payment in model.payments.items()
        }
        assert model.paid.keys() <= self.taken.keys()

    @invariant()
    def what_is_due_can_be_done(self) -> None:
        for duty in duties(self.account):
            if duty.kind in ("payment", "purchase", "action_timeout"):
                assert payments.step(self.account, duty.of, duty.due_at) is not None
            elif duty.kind in ("level", "standing"):
                assert look_again(self.account, duty.due_at)

    @invariant()
    def budgets_count_what_was_spent(self) -> None:
        for user, budget in self.account.budgets.items():
            for (whom, month), spent in self.model.spent.items():
                if whom == user:
                    assert Fraction(budget.spent.get(int(month.replace("-", "")), Decimal(0))) == spent

    @invariant()
    def no_pool_is_below_zero_and_use_is_what_debits_say(self) -> None:
        pools = self.account.pools
        used: dict[tuple[str, int], int] = {}
        for pool, minutes in pools.used.items():
            assert pools.remaining(pool) >= 0
            key = (f"{pool.plan}/{pool.user}", pool.month)
            used[key] = used.get(key, 0) + minutes
        assert {key: minutes for key, minutes in used.items() if minutes} == {
            key: minutes for key, minutes in self.minutes.items() if minutes
        }

    @invariant()
    def a_snapshot_is_the_account(self) -> None:
        state = dump_account(self.account)
        assert dump_account(load_account(state)) == state

    def teardown(self) -> None:
        if not hasattr(self, "account"):
            return
        for of in [of for of in self.taken if of in self.account.payments]:
            self._tell(of, "succeeded")
        assert self.model.paid == {of: Fraction(amount) for of, amount in self.taken.items()}
        replayed: CreditAccount = opened()
        for version, event in enumerate(self.events, 2):
            stored = decode_state(type(event).__name__, encode_state(event))
            assert stored == event
            replayed.apply(stored, version)
        assert dump_account(replayed) == dump_account(self.account)
        assert month_of(START) == "2026-06"


TestAccount = Account.TestCase
TestAccount.settings = settings(max_examples=300, stateful_step_count=50)
