"""Whom to tell: people's e-mail addresses per account, webhooks per account or for all, and what became of deliveries.

An address is personal data: it is sealed with the account's key, found again by a keyed hash, and erased with its row.
A webhook's secret is sealed likewise and shown once.
"""

import secrets
from base64 import b64encode
from collections.abc import Iterable
from typing import Final, NamedTuple

from application import outbox
from application.accounts import Accounts
from application.composing import Composer
from application.outbox import MAIL, WEBHOOK, Delivery, Notice, Target
from application.ports import Store
from application.privacy import Vault
from application.sending import Answer, HookSender
from domain.errors import NotFound
from domain.notices import TEST_KIND

SECRET_BYTES: Final = 32


class Listed(NamedTuple):
    """A notice and where it went; `to` by target: an address, a URL, or nothing where it was removed."""

    notice: Notice
    deliveries: list[Delivery]
    to: dict[str, str]


class Recipients:
    """Use cases over one store. Raise NotFound `unknown_account` for an account that is not there."""

    def __init__(self, store: Store, vault: Vault, accounts: Accounts, composer: Composer, hooks: HookSender) -> None:
        self._store, self._vault, self._accounts = store, vault, accounts
        self._composer, self._hooks = composer, hooks

    def tell(self, account_id: str, address: str, language: str, kinds: Iterable[str], now: int) -> Target:
        """From now on. An address that is told already gets the language and the kinds, and goes on being told."""
        self._accounts.get(account_id)
        each = self._id_of(account_id, address)
        sealed = self._vault.seal_lasting(account_id, each.encode(), address.encode())
        since = self._store.max_position() + 1
        target = Target(each, account_id, MAIL, sealed, language, "", frozenset(kinds), since, now)
        with self._store.transaction() as database:
            outbox.put_recipient(database, target)
        return target

    def tell_no_more(self, account_id: str, address: str) -> None:
        """Erases the address. Raises NotFound `unknown_recipient`."""
        self._accounts.get(account_id)
        with self._store.transaction() as database:
            found = outbox.remove_target(database, MAIL, self._id_of(account_id, address))
        if not found:
            raise NotFound("unknown_recipient", f"account {account_id} tells nobody of that address", "email")

    def _id_of(self, account_id: str, address: str) -> str:
        return "rcp-" + self._vault.digest(f"recipient\0{account_id}\0{address.casefold()}".encode()).hex()

    def add_webhook(self, url: str, account_id: str, kinds: Iterable[str], now: int) -> tuple[Target, str]:
        """The webhook and its secret, which is never shown again. `account_id` empty: of all accounts.

        Raises Invalid `invalid_url`, Refused `webhook_not_allowed`.
        """
        if account_id:
            self._accounts.get(account_id)
        self._hooks.check(url)
        each, secret = f"whk-{secrets.token_hex(8)}", secrets.token_bytes(SECRET_BYTES)
        sealed = self._vault.seal_lasting(account_id, each.encode(), secret)
        since = self._store.max_position() + 1
        target = Target(each, account_id, WEBHOOK, sealed, "", url, frozenset(kinds), since, now)
        with self._store.transaction() as database:
            outbox.put_webhook(database, target)
        return target, "whsec_" + b64encode(secret).decode()

    def webhooks(self, account_id: str = "") -> list[Target]:
        """All, or those that are told of an account."""
        with self._store.reading() as database:
            found = outbox.webhooks(database)
        return [each for each in found if not account_id or each.account in ("", account_id)]

    def remove_webhook(self, webhook: str) -> None:
        """What is on its way to it is cancelled. Raises NotFound `unknown_webhook`."""
        with self._store.transaction() as database:
            if not outbox.remove_target(database, WEBHOOK, webhook):
                raise _unknown_webhook(webhook)

    def test_webhook(self, webhook: str, now: int) -> Answer:
        """Send it a notice of kind `test`, once. Raises NotFound `unknown_webhook`."""
        target = self._webhook(webhook)
        notice = Notice(f"ntc-{secrets.token_hex(16)}", target.account, TEST_KIND, now, 0, {})
        hook = self._composer.hook(notice, target, now)
        return hook if isinstance(hook, Answer) else self._hooks.send(hook)

    def notices(self, account_id: str, limit: int) -> list[Listed]:
        """An account's newest, oldest first; users by their names, an erased one by its pseudonym."""
        self._accounts.get(account_id)
        with self._store.reading() as database:
            notices = outbox.notices_of(database, account_id, limit)
            deliveries = outbox.deliveries_of(database, [notice.id for notice in notices])
            targets = [*outbox.recipients_of(database, account_id), *outbox.webhooks(database)]
        to = {each.id: self._place(each) for each in targets}
        users = {notice.facts["user"] for notice in notices if notice.facts.get("user")}
        names = self._vault.names(users) if users else {}
        for facts in (notice.facts for notice in notices if notice.facts.get("user") in names):
            facts["user"] = names[facts["user"]]
        return [Listed(each, [one for one in deliveries if one.notice == each.id], to) for each in notices]

    def _place(self, target: Target) -> str:
        if target.channel == WEBHOOK:
            return target.url
        address = self._vault.unseal_lasting(target.account, target.id.encode(), target.sealed)
        return "" if address is None else address.decode()

    def deliveries(self, webhook: str, status: str, limit: int) -> list[tuple[Delivery, Notice]]:
        """The newest to a webhook (empty: to any), oldest first. Raises NotFound `unknown_webhook`."""
        if webhook:
            self._webhook(webhook)
        with self._store.reading() as database:
            found = outbox.deliveries_where(database, channel=WEBHOOK, target=webhook, status=status, limit=limit)
            notices = outbox.notices_by_id(database, (each.notice for each in found))
        return [(each, notices[each.notice]) for each in found]

    def redeliver(self, which: str, now: int) -> int:
        """One delivery again under its id, or all dead ones of a webhook; answers how many.

        Raises NotFound `unknown_delivery`, `unknown_webhook`.
        """
        if which.startswith("whk-"):
            self._webhook(which)
        with self._store.transaction() as database:
            if which.startswith("whk-"):
                found = outbox.deliveries_where(database, target=which, status=outbox.DEAD, limit=1_000_000)
            else:
                found = outbox.deliveries_where(database, delivery=which)
                if not found:
                    raise NotFound(
                        "unknown_delivery", f"there is no delivery {which}: `webhook deliveries` names them", "id"
                    )
            outbox.again(database, found, now)
        return len(found)

    def _webhook(self, webhook: str) -> Target:
        found = next((each for each in self.webhooks() if each.id == webhook), None)
        if found is None:
            raise _unknown_webhook(webhook)
        return found


def _unknown_webhook(webhook: str) -> NotFound:
    return NotFound("unknown_webhook", f"there is no webhook {webhook}: `webhook list` names those that are", "id")
