"""Deciding payment methods: adding, changing, choosing and removing ways to pay. Never any card data. Pure."""

from domain.account import CreditAccount
from domain.by import By, header, must_be_open
from domain.errors import Invalid, NotFound, Refused
from domain.events import Event
from domain.payment_events import (
    CustomerCreated,
    PaymentMethodAdded,
    PaymentMethodDefaulted,
    PaymentMethodRemoved,
    PaymentMethodUpdated,
)
from domain.payment_state import CARD, INVOICE, Method


def add_card(
    account: CreditAccount, by: By, provider: str, customer: str, token: str, brand: str, last4: str, expires: int
) -> list[Event]:
    """A card that the provider keeps; the first method is the default. A token that is known writes nothing."""
    must_be_open(account)
    if any(method.token == token for method in account.methods.values()):
        return []
    return [
        PaymentMethodAdded(
            *header(account, by), f"pm-{account.version + 1}", CARD, provider, customer, token, brand, last4, expires,
            "", "", not account.default_method,
        )
    ]  # fmt: skip


def add_invoice(account: CreditAccount, by: By, agreement: str, purchase_order: str = "") -> list[Event]:
    """Pays by invoice under an enterprise agreement. The same again writes nothing."""
    must_be_open(account)
    if not agreement:
        raise Invalid("invalid_agreement", "an invoice names the agreement it is made under", "invoice")
    if any(
        (method.kind, method.agreement, method.purchase_order) == (INVOICE, agreement, purchase_order)
        for method in account.methods.values()
    ):
        return []
    return [
        PaymentMethodAdded(
            *header(account, by), f"pm-{account.version + 1}", INVOICE, "", "", "", "", "", 0, agreement,
            purchase_order, not account.default_method,
        )
    ]  # fmt: skip


def update_method(account: CreditAccount, by: By, method_id: str, brand: str, last4: str, expires: int) -> list[Event]:
    """The provider has other details of the card. The same again writes nothing."""
    method = paying_method(account, method_id)
    if (method.brand, method.last4, method.expires) == (brand, last4, expires):
        return []
    return [PaymentMethodUpdated(*header(account, by), method_id, brand, last4, expires)]


def default_method(account: CreditAccount, by: By, method_id: str) -> list[Event]:
    """The method that pays where none is named. Raises NotFound `unknown_method`."""
    must_be_open(account)
    paying_method(account, method_id)
    return [] if account.default_method == method_id else [PaymentMethodDefaulted(*header(account, by), method_id)]


def remove_method(account: CreditAccount, by: By, method_id: str) -> list[Event]:
    """Raises NotFound `unknown_method`. Of the others the oldest becomes the default, where this was it."""
    paying_method(account, method_id)
    events: list[Event] = [PaymentMethodRemoved(*header(account, by), method_id)]
    others = [other for other in account.methods if other != method_id]
    if account.default_method == method_id and others:
        events.append(PaymentMethodDefaulted(*header(account, by), others[0]))
    return events


def customer_created(account: CreditAccount, by: By, provider: str, customer: str) -> list[Event]:
    """The provider's name for the account."""
    if account.customers.get(provider) == customer:
        return []
    return [CustomerCreated(*header(account, by), provider, customer)]


def unknown_method(account: CreditAccount, wanted: str) -> NotFound:
    """It was removed, or never was."""
    text = f"there is no payment method {wanted}: `payment-method list {account.account_id}` names those that are"
    return NotFound("unknown_method", text, "method")


def paying_method(account: CreditAccount, wanted: str = "") -> Method:
    """The method named, else the default one. Raises NotFound `unknown_method`, Refused `no_payment_method`."""
    if wanted:
        method = account.methods.get(wanted)
        if method is None:
            raise unknown_method(account, wanted)
        return method
    method = account.methods.get(account.default_method)
    if method is None:
        text = f"account {account.account_id} has no payment method: add one with `payment-method add`"
        raise Refused("no_payment_method", text, "method")
    return method


def known_method(account: CreditAccount, method_id: str) -> Method | None:
    """A method that is, or was, the account's."""
    return account.methods.get(method_id) or account.former_methods.get(method_id)
