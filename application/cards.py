"""Cards that the provider keeps, as methods of an account."""

from collections.abc import Callable
from typing import TypeVar

from application.appending import Appender
from application.links import SETUP, Links
from application.payments import Card, Provider, UnknownAtProvider
from domain import methods
from domain.account import CreditAccount
from domain.by import By, must_be_open

T = TypeVar("T")


def for_customer(
    appender: Appender, by: By, account_id: str, provider: Provider, ask: Callable[[CreditAccount, str], T]
) -> T:
    """`ask` with the provider's name for the account, which is made known to it where it is not, or not any more.

    Raises Refused `account_closed`, ProviderUnavailable, ProviderRefused, and what `ask` does.
    """
    account = appender.load(account_id)
    must_be_open(account)
    if provider.name in account.customers:
        try:
            return ask(account, account.customers[provider.name])
        except UnknownAtProvider as unknown:
            if unknown.field:  # it is not the customer who was deleted there
                raise
    made = provider.create_customer(account_id, f"{account_id}:customer:{provider.name}:{account.version}")
    account, _ = appender.append(account_id, lambda account: methods.customer_created(account, by, provider.name, made))
    return ask(account, made)


def setup_url(appender: Appender, by: By, account_id: str, provider: Provider, links: Links) -> str:
    """The provider's page where the customer saves a card. Raises as `for_customer`."""
    back, key = links.back(SETUP, account_id), f"{account_id}:setup:{by.now}"

    def start(account: CreditAccount, customer: str) -> str:
        return provider.start_setup(customer, account_id, back, f"{key}:{account.version}").url

    return for_customer(appender, by, account_id, provider, start)


def save_card(
    appender: Appender, by: By, account_id: str, provider: Provider, customer: str, card: Card
) -> tuple[CreditAccount, str]:
    """Answers the method; a card that is one already is left as it is."""
    fields = (provider.name, customer, card.token, card.brand, card.last4, card.expires)
    account, _ = appender.append(account_id, lambda account: methods.add_card(account, by, *fields))
    return account, next(method.id for method in account.methods.values() if method.token == card.token)
