"""A stateful machine on the account, held against an independent model that knows only sums.

Invariants: lots - debt = balance; no pool and no lot below 0; no recharge open twice; a snapshot is the account;
replaying the events gives the same bytes.
"""

from decimal import Decimal
from fractions import Fraction

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain import commands
from domain.account import CreditAccount, dump_account, load_account
from domain.commands import By, Funds
from domain.events import (
    AutoRechargeTriggered,
    Event,
    FundsAdded,
    UsageDebited,
    decode_state,
    encode_state,
)
from domain.months import DAY
from tests.support.given import US_120, US_120_OWN, US_BOTH, at, decide, deck, opened, rate, usage

START = at("2026-06-01T00:00:00Z")
RATES = deck(rate("", "0.5", fee="0.03"), rate("44", "0.07", increment=6), rate("1", "0.0101", increment=1))
PLANS = {"MCOPSTN2": US_BOTH, "MCOPSTN5": US_120, "MCOPSTN8": US_120_OWN}
amounts = st.integers(1, 3_000_000).map(lambda units: Decimal(units).scaleb(-4))
users = st.sampled_from(["ana", "bob", ""])


class Account(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.account = opened()
        self.events: list[Event] = []
        self.now = START
        self.bought = self.spent = Fraction(0)
        self.minutes: dict[tuple[str, int], int] = {}
        self.open_recharges: set[str] = set()

    def _by(self) -> By:
        return By(self.now, "ana", "cli")

    def _append(self, events: list[Event]) -> None:
        for event in commands.with_trigger(self.account, events):
            self.events.append(event)
            if isinstance(event, AutoRechargeTriggered):
                assert not self.open_recharges
                self.open_recharges.add(event.recharge_id)
            elif isinstance(event, FundsAdded):
                self.bought += Fraction(event.amount)
                self.open_recharges.discard(event.recharge_id)
            elif isinstance(event, UsageDebited):
                self.spent += Fraction(event.amount)
                self._check_proof(event)

    def _check_proof(self, event: UsageDebited) -> None:
        assert event.proof is not None
        paid = sum((Fraction(draw.amount) for draw in event.proof.lots), Fraction(event.proof.debt))
        assert paid == Fraction(event.amount)
        assert all(draw.amount > 0 for draw in event.proof.lots)
        for draw in event.proof.pools:
            key = (f"{draw.plan}/{draw.user}", draw.month)
            self.minutes[key] = self.minutes.get(key, 0) + draw.minutes
        seconds = sum(draw.minutes for draw in event.proof.pools) * 60
        billed = sum(slot.billed_seconds for slot in event.proof.slots)
        assert seconds + billed >= event.duration_seconds

    @rule(hours=st.integers(0, 24 * 40))
    def time_passes(self, hours: int) -> None:
        self.now += hours * DAY // 24

    @rule(amount=amounts, days_ago=st.integers(0, 400), granted=st.booleans(), for_recharge=st.booleans())
    def funds_come(self, amount: Decimal, days_ago: int, granted: bool, for_recharge: bool) -> None:
        recharge_id = self.account.recharge.recharge_id if for_recharge else ""
        funds = Funds(amount, at=self.now - days_ago * DAY, granted=granted, recharge_id=recharge_id)
        self._append(commands.add_funds(self.account, self._by(), funds))

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
        self._append([event])

    @rule(user=st.sampled_from(["ana", "bob"]), plan=st.sampled_from(sorted(PLANS)))
    def a_licence_is_assigned(self, user: str, plan: str) -> None:
        self._append(commands.assign_licence(self.account, self._by(), user, plan, "US", None, None, PLANS[plan]))

    @precondition(lambda self: self.account.pools.licences)
    @rule(user=st.sampled_from(["ana", "bob"]), plan=st.sampled_from(sorted(PLANS)))
    def a_licence_is_removed(self, user: str, plan: str) -> None:
        held = self.account.pools.licences.get(user, [])
        if any(licence.plan == plan and licence.removed_at is None for licence in held):
            self._append(commands.remove_licence(self.account, self._by(), user, plan))

    @rule(amount=st.integers(50, 500), below=st.integers(0, 100))
    def recharge_is_set(self, amount: int, below: int) -> None:
        level = commands.Level(Decimal(below), Decimal(amount))
        self._append(commands.set_recharge(self.account, self._by(), level, Decimal(50)))

    @rule()
    def recharge_is_switched_off(self) -> None:
        self.open_recharges.clear()
        self._append(commands.recharge_off(self.account, self._by()))

    @invariant()
    def lots_less_debt_is_the_balance(self) -> None:
        account = self.account
        lots = sum((Fraction(lot.remaining) for lot in account.lots.values()), Fraction(0))
        assert lots - Fraction(account.debt) == Fraction(account.balance) == self.bought - self.spent
        assert account.debt >= 0
        assert all(0 <= lot.remaining <= lot.amount for lot in account.lots.values())
        assert [lot.order for lot in account.open_lots] == sorted(lot.order for lot in account.open_lots)

    @invariant()
    def no_pool_is_below_zero_and_use_is_what_debits_say(self) -> None:
        pools = self.account.pools
        used: dict[tuple[str, int], int] = {}
        for pool, minutes in pools.used.items():
            assert pools.remaining(pool) >= 0
            key = (f"{pool.plan}/{pool.user}", pool.month)
            used[key] = used.get(key, 0) + minutes
        assert used == self.minutes

    @invariant()
    def at_most_one_recharge_is_open_and_none_is_overlooked(self) -> None:
        recharge, account = self.account.recharge, self.account
        assert ({recharge.recharge_id} if recharge.recharge_id else set()) == self.open_recharges
        if recharge.state == "armed":
            assert account.spendable(account.recorded_at) >= recharge.below

    @invariant()
    def a_snapshot_is_the_account(self) -> None:
        state = dump_account(self.account)
        assert dump_account(load_account(state)) == state

    def teardown(self) -> None:
        if not hasattr(self, "account"):
            return
        replayed: CreditAccount = opened()
        for version, event in enumerate(self.events, 2):
            stored = decode_state(type(event).__name__, encode_state(event))
            assert stored == event
            replayed.apply(stored, version)
        assert dump_account(replayed) == dump_account(self.account)


TestAccount = Account.TestCase
TestAccount.settings = settings(max_examples=60, stateful_step_count=40)
