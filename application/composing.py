"""A notice as it leaves: a mail in the recipient's language, or a webhook's JSON. Names and links are put in here, as
neither is kept with the notice.

JSON as Standard Webhooks advise: `{"type", "timestamp", "data"}`; `data` has `notice`, `account` and the facts.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from application.accounts import Accounts
from application.notice_text import About, write
from application.outbox import Notice, Target
from application.privacy import Vault
from application.sending import Answer, Hook, Mail
from domain.instants import format_instant

_SECOND: Final = 1_000_000
_REMOVED: Final = Answer(False, "nobody is there any more: it was removed, or its keys were erased", True)


class Composer:
    """`link` answers where the customer confirms a payment: of an account, the recharge or purchase it is for."""

    def __init__(self, vault: Vault, accounts: Accounts, link: Callable[[str, str], str]) -> None:
        self._vault, self._accounts, self._link = vault, accounts, link

    def mail(self, notice: Notice, target: Target | None) -> Mail | Answer:
        """The same id at each try."""
        address = self._unsealed(target)
        if target is None or address is None:
            return _REMOVED
        self._accounts.evict([notice.account])  # the one in memory may be of some time ago
        settings = self._accounts.get(notice.account).settings
        about = About(notice.id, notice.kind, notice.account, settings.name, settings.time_zone)
        text = write(about, self._facts(notice), target.language)
        return Mail(f"{notice.id}.{target.id}", address.decode(), target.language, *text)

    def hook(self, notice: Notice, target: Target | None, now: int) -> Hook | Answer:
        """`now` in microseconds."""
        secret = self._unsealed(target)
        if target is None or secret is None:
            return _REMOVED
        body = {
            "type": notice.kind,
            "timestamp": format_instant(notice.at),
            "data": {"notice": notice.id, "account": notice.account or None, **self._facts(notice)},
        }
        return Hook(notice.id, target.url, secret, msgspec.json.encode(body), now // _SECOND)

    def _unsealed(self, target: Target | None) -> bytes | None:
        if target is None:
            return None
        return self._vault.unseal_lasting(target.account, target.id.encode(), target.sealed)

    def _facts(self, notice: Notice) -> Mapping[str, Any]:
        """With the user's name, and where to confirm."""
        facts = dict(notice.facts)
        if facts.get("user"):
            facts["user"] = self._vault.names([facts["user"]]).get(facts["user"], facts["user"])
        if notice.kind.endswith(".action_required"):
            facts["action_url"] = self._link(notice.account, facts.get("recharge") or facts["purchase"])
        return facts
