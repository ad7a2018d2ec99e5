"""The provider's ledger against ours, both ways: every payment that took money is one lot, and nothing else is.

Theirs is read first, then ours: what is paid and booked in between is asked for by its id, so that it is no difference.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from application.payments import Charged, Provider
from domain.account import CreditAccount
from domain.lots import Lot
from domain.money import ZERO, quantum

# they have taken money of ours that is no lot; the second: of a payment that is open here, so that `work` books it
NOT_BOOKED: Final = "not_booked"
NOT_BOOKED_YET: Final = "not_booked_yet"
UNKNOWN_ACCOUNT: Final = "unknown_account"  # taken for an account that is not here
NOT_TAKEN: Final = "not_taken"  # a lot whose payment they have not, or not as succeeded
BOOKED_TWICE: Final = "booked_twice"  # two lots of one payment
AMOUNT: Final = "amount_differs"
CURRENCY: Final = "currency_differs"
REFUNDED: Final = "refunded_differs"
LOST: Final = "lost_differs"  # to disputes


class Difference(NamedTuple):
    """What does not agree. `ours` and `theirs`: the amounts, None where one side has nothing."""

    kind: str
    account: str
    payment_id: str
    of: str  # as written on the payment: a recharge or a purchase; empty where only we have it
    lot: str
    ours: Decimal | None
    theirs: Decimal | None
    currency: str


class Reconciled(NamedTuple):
    """The comparison. `booked` and `taken`: the sums of what was compared, ours and theirs, by currency."""

    accounts: int
    payments: int
    foreign: int  # theirs, of no account of this program: taken for other business
    booked: dict[str, Decimal]
    taken: dict[str, Decimal]
    differences: list[Difference]


def reconcile(
    provider: Provider,
    accounts: Callable[[], Iterable[CreditAccount]],
    customers: Sequence[str] | None,
    since: int | None = None,
    until: int | None = None,
) -> Reconciled:
    """Payments of [since, until) of some customers at the provider, or (None) of all. Raises ProviderError."""
    return _Comparison(provider, since, until).run(accounts, customers)


def customers_of(account: CreditAccount, provider: str) -> list[str]:
    """All its names at the provider: a customer may have been made twice."""
    methods = (*account.methods.values(), *account.former_methods.values())
    known = {method.customer for method in methods if method.provider == provider}
    return sorted({*known, account.customers.get(provider, "")} - {""})


class _Comparison:
    def __init__(self, provider: Provider, since: int | None, until: int | None) -> None:
        self._provider, self._since, self._until = provider, since, until
        self._theirs: dict[str, Charged] = {}
        self._seen: set[str] = set()  # payments that are a lot
        self._open: set[str] = set()  # payments that are under way here
        self._scales: dict[str, int] = {}  # of the accounts that were looked at
        self._foreign = 0
        self._booked: dict[str, Decimal] = {}
        self._taken: dict[str, Decimal] = {}
        self._differences: list[Difference] = []

    def run(self, accounts: Callable[[], Iterable[CreditAccount]], customers: Sequence[str] | None) -> Reconciled:
        for customer in [None] if customers is None else customers:
            for line in self._provider.ledger(customer, self._since, self._until):
                self._theirs[line.payment_id] = line
        for account in accounts():
            self._scales[account.account_id] = account.scale
            self._open.update(payment.payment_id for payment in account.payments.values())
            for lot in account.lots.values():
                if lot.provider == self._provider.name:
                    self._compare(account, lot)
        for line in self._theirs.values():
            self._left_over(line)
        return Reconciled(
            len(self._scales),
            len(self._seen) + sum(1 for line in self._theirs.values() if line.account),
            self._foreign,
            self._booked,
            self._taken,
            self._differences,
        )

    def _compare(self, account: CreditAccount, lot: Lot) -> None:
        if lot.payment_id in self._seen:
            self._differ(BOOKED_TWICE, account, lot, "", lot.amount, None)
            return
        line = self._theirs.pop(lot.payment_id, None)
        if line is None:
            if not self._is_within(lot.purchased_at):
                return
            line = self._provider.charged(lot.payment_id)
        self._seen.add(lot.payment_id)
        _add(self._booked, account.currency, lot.amount)
        if line is None:
            self._differ(NOT_TAKEN, account, lot, "", lot.amount, None)
            return
        line = _at_scale(line, account.scale)
        _add(self._taken, line.currency, line.amount)
        refunded, lost = _given_back(account, lot)
        if line.currency != account.currency:
            self._differ(CURRENCY, account, lot, line.of, lot.amount, line.amount)
        for kind, ours, theirs in (
            (AMOUNT, lot.amount, line.amount),
            (REFUNDED, refunded, line.refunded),
            (LOST, lost, line.lost),
        ):
            if ours != theirs:
                self._differ(kind, account, lot, line.of, ours, theirs)

    def _left_over(self, line: Charged) -> None:
        """Money that they took and no lot of ours has."""
        if not line.account:
            self._foreign += 1
            return
        if line.account not in self._scales:
            kind = UNKNOWN_ACCOUNT
        else:
            kind = NOT_BOOKED_YET if line.payment_id in self._open else NOT_BOOKED
            line = _at_scale(line, self._scales[line.account])
        _add(self._taken, line.currency, line.amount)
        self._differences.append(
            Difference(kind, line.account, line.payment_id, line.of, "", None, line.amount, line.currency)
        )

    def _differ(
        self, kind: str, account: CreditAccount, lot: Lot, of: str, ours: Decimal | None, theirs: Decimal | None
    ) -> None:
        name, currency = account.account_id, account.currency
        self._differences.append(Difference(kind, name, lot.payment_id, of, lot.id, ours, theirs, currency))

    def _is_within(self, at: int) -> bool:
        return (self._since is None or self._since <= at) and (self._until is None or at < self._until)


def _given_back(account: CreditAccount, lot: Lot) -> tuple[Decimal, Decimal]:
    """What of a lot went back to who paid it: by refunds that did not fail, and by lost disputes."""
    refunds = (each.amount for each in account.refunds.values() if each.lot == lot.id and each.state != "failed")
    disputes = (each.amount for each in account.disputes.values() if each.lot == lot.id and each.state == "lost")
    nothing = ZERO.scaleb(-account.scale)
    return sum(refunds, nothing), sum(disputes, nothing)


def _at_scale(line: Charged, scale: int) -> Charged:
    """Amounts with the account's decimals, as ours have; one that has more stays as it is."""

    def scaled(amount: Decimal) -> Decimal:
        exact = amount.quantize(quantum(scale))
        return exact if exact == amount else amount

    return line._replace(amount=scaled(line.amount), refunded=scaled(line.refunded), lost=scaled(line.lost))


def _add(sums: dict[str, Decimal], currency: str, amount: Decimal) -> None:
    sums[currency] = sums.get(currency, ZERO) + amount
