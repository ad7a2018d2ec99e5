"""Cards that the provider keeps, as methods of an account."""

from application.appending import Appender
from application.payments import Card, Provider
from domain import methods
from domain.account import CreditAccount
from domain.by import By


def customer_of(appender: Appender, by: By, account_id: str, provider: Provider) -> tuple[CreditAccount, str]:
    """The provider's name for the account, which is made known to it where it is not. Raises ProviderUnavailable."""
    account = appender.load(account_id)
    if provider.name not in account.customers:
        made = provider.create_customer(account_id, f"{account_id}:customer:{provider.name}")
        account, _ = appender.append(
            account_id, lambda account: methods.customer_created(account, by, provider.name, made)
        )
    return account, account.customers[provider.name]


def save_card(
    appender: Appender, by: By, account_id: str, provider: Provider, customer: str, card: Card
) -> tuple[CreditAccount, str]:
    """Answers the method; a card that is one already is left as it is."""
    fields = (provider.name, customer, card.token, card.brand, card.last4, card.expires)
    account, _ = appender.append(account_id, lambda account: methods.add_card(account, by, *fields))
    return account, next(method.id for method in account.methods.values() if method.token == card.token)
