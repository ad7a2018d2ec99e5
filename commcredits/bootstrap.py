"""The composition root: the parts of one process, each made when it is first asked for, from the settings alone.

Imports are inside, so that a light command loads only what it uses. An Engine can be pickled: a worker process gets the
settings and makes parts of its own.
"""

import time
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from adapters.privacy import KeyVault
    from application.accounts import Accounts
    from application.administration import Administration
    from application.appending import Appender
    from application.authorize import Authorizer
    from application.budgets import BudgetKeeper
    from application.claims import Claims
    from application.corrections import Corrections
    from application.dead_letters import DeadLetters
    from application.decks import DeckBook
    from application.explain import Explainer
    from application.forecast import Forecasting
    from application.ingest import Ingest
    from application.links import Links
    from application.notices import Notices
    from application.paying import Paying
    from application.payments import Provider
    from application.ports import Database, Store
    from application.provider_events import ProviderEvents
    from application.recipients import Recipients
    from application.visits import Visits
    from application.work import Advancing
    from commcredits.settings import Settings
    from domain.account import CreditAccount
    from domain.commands import By
    from domain.plans import Plan
    from domain.recharge import Policy
    from projections.ports import ReadModel


def now() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1000


def create_read_models(database: "Database") -> None:
    """The read models' tables, where they are not there."""
    from application import claims, inbox
    from projections import balance, duties, statement

    balance.create(database)
    statement.create(database)
    duties.create(database)
    claims.create(database)
    inbox.create(database)
    create_notice_tables(database)


def create_notice_tables(database: "Database") -> None:
    """What notices are made of, and the way they go."""
    from application import outbox
    from projections import hours, notices

    notices.create(database)
    hours.create(database)
    outbox.create(database)


def read_models() -> "dict[str, Callable[[], ReadModel]]":
    """By name, what makes each."""
    from projections import balance, statement

    return {balance.NAME: balance.Balances, statement.NAME: statement.Statement}


class Engine:
    """The parts of one process, for one thread."""

    def __init__(self, settings: "Settings") -> None:
        self.settings = settings

    def __reduce__(self) -> "tuple[type[Engine], tuple[Settings]]":
        return Engine, (self.settings,)

    @cached_property
    def store(self) -> "Store":
        """Raises StoreUnavailable, SchemaMissing."""
        from adapters.store.store import open_store

        return open_store(self.settings.store, [create_read_models])

    @cached_property
    def vault(self) -> "KeyVault":
        """Opened with the master key, which is tried. Raises Invalid `master_key_missing`, WrongMasterKey."""
        from adapters.privacy import KeyVault
        from commcredits.master_key import master_key

        with self.store.reading() as database:
            known = database.execute("SELECT account, purpose, month FROM data_keys LIMIT 1")
        key = master_key(self.settings.master_key, self.settings.store, bool(known))
        vault = KeyVault(key, self.store, self.settings.cache_keys)
        vault.load_keys([(account, purpose, month) for account, purpose, month in known])
        return vault

    @cached_property
    def accounts(self) -> "Accounts":
        """Those in use, as of their last event."""
        from application.accounts import Accounts

        return Accounts(self.store, self.settings.cache_accounts)

    @cached_property
    def decks(self) -> "DeckBook":
        """Up to the log's end of when it is first asked for."""
        from application.decks import DeckBook

        book = DeckBook(self.store)
        book.refresh()
        return book

    @cached_property
    def actor(self) -> str:
        """Who acts: the setting, else the system's user."""
        import getpass

        return self.settings.actor or getpass.getuser()

    @cached_property
    def policy(self) -> "Policy":
        """What holds for all accounts' recharges and purchases."""
        from domain.recharge import Policy

        settings = self.settings
        return Policy(
            settings.recharges_per_hour, settings.minimum_purchase, settings.retry_schedule, settings.action_timeout
        )

    @cached_property
    def ingest(self) -> "Ingest":
        """The write path of usage."""
        from application.ingest import Ingest

        return Ingest(self.store, self.vault, self.accounts, self.decks, now, self.actor, self.policy)

    @cached_property
    def administration(self) -> "Administration":
        """What an admin does to an account."""
        from application.administration import Administration

        return Administration(self.store, self.vault, self.accounts, self.policy)

    @cached_property
    def appender(self) -> "Appender":
        """Load, decide, append."""
        from application.appending import Appender

        return Appender(self.store, self.vault, self.accounts, self.policy)

    @cached_property
    def corrections(self) -> "Corrections":
        """Debits that are taken back."""
        from application.corrections import Corrections

        return Corrections(self.store, self.appender)

    @cached_property
    def budgets(self) -> "BudgetKeeper":
        """What is to be spent in a month at most."""
        from application.budgets import BudgetKeeper

        return BudgetKeeper(self.store, self.vault, self.appender)

    @cached_property
    def provider(self) -> "Provider | None":
        """Who takes money by card; None without an API key."""
        settings = self.settings
        if not settings.stripe_api_key:
            return None
        from adapters.payments.stripe import Stripe

        secrets = [secret.strip() for secret in (settings.stripe_webhook_secret or "").split(",")]
        return Stripe(settings.stripe_api_key, settings.stripe_api_base, [secret for secret in secrets if secret])

    @cached_property
    def links(self) -> "Links":
        """Of our own, for customers."""
        from application.links import Links

        return Links(lambda content: self.vault.digest(content), self.settings.public_url)

    @cached_property
    def claims(self) -> "Claims":
        """Of this process and thread."""
        import os
        import secrets
        import socket

        from application.claims import Claims

        return Claims(self.store, f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}", now)

    @cached_property
    def advancing(self) -> "Advancing":
        """What is due on an account."""
        from application.work import Advancing

        return Advancing(self.appender, self.provider, self.links, self.policy)

    @cached_property
    def paying(self) -> "Paying":
        """Payment methods, top-ups, refunds."""
        from application.paying import Paying

        return Paying(self.appender, self.advancing, self.provider, self.links, self.claims, self.policy)

    @cached_property
    def visits(self) -> "Visits":
        """A customer at one of our links."""
        from application.visits import Visits

        return Visits(self.appender, self.advancing, self.provider, self.links)

    @cached_property
    def provider_events(self) -> "ProviderEvents":
        """What the provider tells by itself."""
        from application.provider_events import ProviderEvents

        return ProviderEvents(self.appender, self.accounts, self.advancing, self.provider, now)

    @cached_property
    def dead_letters(self) -> "DeadLetters":
        """What could not be taken."""
        from application.dead_letters import DeadLetters
        from consumers.patch import decode_patched

        return DeadLetters(self.store, self.vault, self.ingest, decode_patched)

    @cached_property
    def explainer(self) -> "Explainer":
        """Why a debit is what it is."""
        from application.explain import Explainer

        return Explainer(self.store, self.vault)

    @cached_property
    def notices(self) -> "Notices":
        """Messages to people and their systems."""
        from commcredits.notifying import notices_of

        return notices_of(self)

    @cached_property
    def recipients(self) -> "Recipients":
        """Who gets those messages."""
        from commcredits.notifying import recipients_of

        return recipients_of(self)

    @cached_property
    def authorizer(self) -> "Authorizer":
        """Whether a call may be made."""
        from application.authorize import Authorizer

        return Authorizer(self.store, self.vault, self.accounts, self.decks, now)

    @cached_property
    def forecasting(self) -> "Forecasting":
        """What an account's history says."""
        from application.forecast import Forecasting

        return Forecasting(self.store, self.accounts, self.policy, now)

    @cached_property
    def plans(self) -> "dict[str, Plan]":
        """By capability code. Raises Invalid `invalid_plans`."""
        from commcredits.plans import load_plans

        return load_plans(self.settings.plans)

    def catch_up(self, read_model: str) -> None:
        """Apply the log, up to its end of now, to `balance` or `statement`."""
        from projections.runner import Follower

        Follower(self.store, [read_models()[read_model]()]).catch_up()

    def every_account(self) -> "Iterator[CreditAccount]":
        """All accounts in order of id, as of the log's end of now."""
        from projections.balance import list_accounts

        self.catch_up("balance")
        after = ""
        while True:
            with self.store.reading() as database:
                page = list_accounts(database, after)
            if not page:
                return
            yield from (account for _, account in page)
            after = page[-1][1].account_id

    def by(self, reason: str = "") -> "By":
        """A command's header: now, by whoever runs it."""
        from domain.commands import By

        return By(now(), self.actor, "cli", reason)

    def close(self) -> None:
        """Lets go of the store, where it was opened."""
        if "store" in self.__dict__:
            self.store.close()
