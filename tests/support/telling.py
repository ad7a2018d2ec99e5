"""What an account's history tells people: every event that is applied, read again as the notices read model does."""

from __future__ import annotations

from collections.abc import Callable

from domain.account import CreditAccount
from domain.events import Event
from domain.notices import Notice, observe

Apply = Callable[[CreditAccount, Event, int], None]


class Told:
    """Events as they are applied, and what they cause."""

    def __init__(self, apply: Apply) -> None:
        self._apply = apply
        self.events: list[tuple[Event, int]] = []

    def record(self, account: CreditAccount, event: Event, version: int) -> None:
        """In place of `CreditAccount.apply`."""
        self._apply(account, event, version)
        if account.stream is not None and (event, version) not in self.events:
            self.events.append((event, version))

    def notices(self) -> list[Notice]:
        """Of all events so far."""
        events, self.events = list(self.events), []
        account = CreditAccount()
        found = [notice for event, version in events for notice in observe(account, event, version)]
        self.events = events
        return found

    def kinds(self) -> list[str]:
        """Their kinds, in order."""
        return [notice.kind for notice in self.notices()]

    def the(self, kind: str) -> Notice:
        """The only one of a kind."""
        [found] = [notice for notice in self.notices() if notice.kind == kind]
        return found
