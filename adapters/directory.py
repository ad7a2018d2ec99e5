"""Users of many accounts in memory: their pseudonyms, found by the keyed hash of a name. No name is kept.

Filled by one thread, asked by another: what is found is a pseudonym or nothing, never half of one.
"""

import hmac
from collections.abc import Sequence
from typing import Final

from adapters.privacy import LOOKUP, KeyVault
from application.ports import Store
from application.recent import Recent
from domain.usage import user_key

ACCOUNTS_A_QUESTION: Final = 500
_USERS: Final = "SELECT lookup, pseudonym FROM users WHERE account IN ({})"


class Directory:
    """At most `capacity` users, about 250 bytes each; those of accounts that were asked for last stay."""

    def __init__(self, store: Store, vault: KeyVault, capacity: int) -> None:
        self._store, self._vault = store, vault
        self._keys: dict[str, bytes] = {}
        self._pseudonyms: Recent[bytes, str] = Recent(capacity)

    def load(self, account_ids: Sequence[str]) -> None:
        """All users of these accounts, as far as there is room."""
        for start in range(0, len(account_ids), ACCOUNTS_A_QUESTION):
            some = account_ids[start : start + ACCOUNTS_A_QUESTION]
            for (account, _, _), key in self._vault.load_keys((account, LOOKUP, 0) for account in some).items():
                self._keys[account] = key.raw
            with self._store.reading() as database:
                rows = database.execute(_USERS.format(",".join("?" * len(some))), some)
            self._pseudonyms.keep({bytes(lookup): pseudonym for lookup, pseudonym in rows})
        self._vault.known_keys.clear()  # they are here now

    def find(self, account_id: str, user_id: str) -> str | None:
        """Where the user is in memory."""
        key = self._keys.get(account_id)
        if key is None:
            return None
        lookup = hmac.digest(key, user_key(user_id).encode(), "sha256")
        return self._pseudonyms.find({lookup}, lambda _: {}).get(lookup)

    def ask(self, account_id: str, user_id: str) -> str | None:
        """Whether there is such a user by now, who is then in memory too."""
        pseudonym = self._vault.find_user(account_id, user_id)
        if pseudonym is not None:
            self.load([account_id])
        return pseudonym
