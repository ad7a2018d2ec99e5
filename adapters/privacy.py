"""The vault: keys of personal data, random, one per account and month, wrapped by the master key.

AES-256-GCM throughout; a sealed value is 12 random bytes of nonce, then ciphertext and tag. A data key is remembered
(in a least-recently-used cache) only once its row is committed, so no event can be sealed with a key that was rolled
back. Keys of lookups (users, letters) are secrets of their own, so that the master key can be changed without
touching them.
"""

import contextlib
import hmac
import os
import secrets
from collections.abc import Iterable
from hashlib import sha256
from itertools import islice
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from application.ports import Commit, DataKey, Store, UserRow, WriteConflict
from application.privacy import NO_ACCOUNT
from domain.usage import user_key

KeyId = tuple[str, str, int]
DATA, LOOKUP = "data", "lookup"
_NONCE = 12


class WrongMasterKey(Exception):
    """A stored key does not open: the master key is not the one it was wrapped with."""


class Key(NamedTuple):
    """A data key, ready for use: about 2.5 KB with its cipher's state.

    `inner` and `outer` are HMAC's padded keys: two plain digests cost half of what `hmac.digest` does.
    """

    raw: bytes
    inner: bytes
    outer: bytes
    cipher: AESGCM


def make_key(raw: bytes) -> Key:
    """A key of 32 bytes, ready for use."""
    padded = raw.ljust(64, b"\0")
    return Key(raw, padded.translate(_INNER), padded.translate(_OUTER), AESGCM(raw))


_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class KeyVault:
    """`application.privacy.Vault` over the store's key and user tables. `capacity` counts keys and pseudonyms."""

    def __init__(self, master_key: bytes, store: Store, capacity: int = 40_000) -> None:
        if len(master_key) != 32:
            raise ValueError("the master key has 32 bytes")
        self._master = AESGCM(master_key)
        self._store, self._capacity = store, capacity
        self.known_keys: dict[KeyId, Key] = {}
        self.known_users: dict[tuple[str, str], str] = {}
        self._digest_key: bytes | None = None

    def sealer(self) -> "BatchSealer":
        """Keys for one batch."""
        return BatchSealer(self)

    def wrap(self, key_id: KeyId, raw: bytes) -> bytes:
        """A key as its row holds it, bound to its place."""
        nonce = os.urandom(_NONCE)
        return nonce + self._master.encrypt(nonce, raw, _place(key_id))

    def _unwrap(self, key_id: KeyId, wrapped: bytes) -> Key:
        try:
            raw = self._master.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _place(key_id))
        except InvalidTag:
            raise WrongMasterKey(
                f"the key of account {key_id[0]} does not open: is COMMCREDITS_MASTER_KEY the one it was made with?"
            ) from None
        return make_key(raw)

    def load_keys(self, wanted: Iterable[KeyId]) -> dict[KeyId, Key]:
        """Those that exist, from the cache or in one look-up."""
        known, found, missing = self.known_keys, {}, []
        for key_id in wanted:
            key = known.pop(key_id, None)
            if key is None:
                missing.append(key_id)
            else:
                found[key_id] = known[key_id] = key
        if missing:
            for key_id, wrapped in self._store.data_keys(missing).items():
                found[key_id] = known[key_id] = self._unwrap(key_id, wrapped)
        self._trim(known, len(found))
        return found

    def load_users(self, wanted: Iterable[tuple[str, str]], keys: dict[KeyId, Key]) -> dict[tuple[str, str], str]:
        """Pseudonyms of (account, casefolded user) that exist; `keys` holds the lookup keys."""
        known, found, missing = self.known_users, {}, {}
        for user in wanted:
            pseudonym = known.pop(user, None)
            if pseudonym is not None:
                found[user] = known[user] = pseudonym
            elif (key := keys.get((user[0], LOOKUP, 0))) is not None:
                missing[(user[0], lookup_hash(key, user[1]))] = user
        if missing:
            for lookup, pseudonym in self._store.users(list(missing)).items():
                user = missing[lookup]
                found[user] = known[user] = pseudonym
        self._trim(known, len(found))
        return found

    def _trim(self, cache: dict[Any, Any], used: int) -> None:
        excess = len(cache) - max(self._capacity, used)
        for oldest in list(islice(cache, max(excess, 0))):
            del cache[oldest]

    def commitments(self, wanted: list[tuple[str, int, bytes, bytes]]) -> list[bytes | None]:
        """Per (account, month, usage key, content) the commitment under the stored key; None where it was erased."""
        keys = self.load_keys({(account, DATA, month) for account, month, _, _ in wanted})
        out: list[bytes | None] = []
        for account, month, usage_key, content in wanted:
            key = keys.get((account, DATA, month))
            out.append(None if key is None else sha256(salt_of(key, usage_key) + content).digest())
        return out

    def unseal(self, account_id: str, month: int, context: bytes, sealed: bytes) -> bytes | None:
        """The plain bytes, None when the key was erased."""
        key_id = (account_id or NO_ACCOUNT, DATA, month)
        key = self.load_keys([key_id]).get(key_id)
        if key is None:
            return None
        try:
            return key.cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], context)
        except InvalidTag:
            return None  # sealed under a key that was erased; the month has another key since

    def salt(self, account_id: str, month: int, usage_key: bytes) -> bytes | None:
        """What an auditor needs, beside the content, to check a commitment; None when the key was erased."""
        key_id = (account_id, DATA, month)
        key = self.load_keys([key_id]).get(key_id)
        return None if key is None else salt_of(key, usage_key)

    def find_user(self, account_id: str, user_id: str) -> str | None:
        """A known user's pseudonym."""
        user = (account_id, user_key(user_id))
        return self.load_users([user], self.load_keys([(account_id, LOOKUP, 0)])).get(user)

    def names(self, pseudonyms: Iterable[str]) -> dict[str, str]:
        """Names by pseudonym; an erased user is absent."""
        rows = self._store.user_names(list(pseudonyms))
        keys = self.load_keys({(account, LOOKUP, 0) for account, _ in rows.values()})
        names = {}
        for pseudonym, (account, sealed) in rows.items():
            key = keys.get((account, LOOKUP, 0))
            if key is not None:
                plain = key.cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], pseudonym.encode())
                names[pseudonym] = plain.decode()
        return names

    def digest(self, data: bytes) -> bytes:
        """16 bytes keyed by a secret of this store."""
        if self._digest_key is None:
            key_id = (NO_ACCOUNT, LOOKUP, 0)
            found = self.load_keys([key_id])
            if key_id not in found:
                sealer = self.sealer()
                sealer.mint(key_id)
                with contextlib.suppress(WriteConflict):  # another process was first: its key is the one
                    self._store.commit(Commit(keys=sealer.keys))
                found = self.load_keys([key_id])
            self._digest_key = found[key_id].raw
        return hmac.digest(self._digest_key, data, "sha256")[:16]


class BatchSealer:
    """`application.privacy.Sealer`: what one batch seals, and the keys and users it mints."""

    def __init__(self, vault: KeyVault) -> None:
        self._vault = vault
        self.keys: list[DataKey] = []
        self.users: list[UserRow] = []
        self._keys: dict[KeyId, Key] = {}
        self._minted: dict[KeyId, Key] = {}
        self._users: dict[tuple[str, str], str] = {}  # by account and user id as it came
        self._minted_users: dict[tuple[str, str], str] = {}
        self._nonces = b""
        self._next = 0

    def prepare(self, months: Iterable[tuple[str, int]], users: Iterable[tuple[str, str]]) -> None:
        """Load, or mint, the data keys of (account, month) and the pseudonyms of (account, user id)."""
        wanted: dict[KeyId, None] = {(account, DATA, month): None for account, month in months}
        named = {user: (user[0], user_key(user[1])) for user in users}
        known_users = self._vault.known_users
        wanted.update(((user[0], LOOKUP, 0), None) for user in named.values() if user not in known_users)
        self._keys.update(self._vault.load_keys(wanted))
        for key_id in wanted:
            if key_id not in self._keys:
                self.mint(key_id)
        found = self._vault.load_users(named.values(), self._keys)
        for user, folded in named.items():
            pseudonym = found.get(folded) or self._minted_users.get(folded)
            self._users[user] = pseudonym or self._mint_user(folded, user[1])

    def mint(self, key_id: KeyId) -> Key:
        """A new random key, and its row to be committed."""
        raw = secrets.token_bytes(32)
        key = self._keys[key_id] = self._minted[key_id] = make_key(raw)
        self.keys.append(DataKey(*key_id, self._vault.wrap(key_id, raw)))
        return key

    def _mint_user(self, user: tuple[str, str], user_id: str) -> str:
        key = self._keys[user[0], LOOKUP, 0]
        pseudonym = secrets.token_urlsafe(12)
        nonce = self._nonce()
        sealed = nonce + key.cipher.encrypt(nonce, user_id.encode(), pseudonym.encode())
        self.users.append(UserRow(user[0], pseudonym, lookup_hash(key, user[1]), sealed))
        self._minted_users[user] = pseudonym
        return pseudonym

    def pseudonym(self, account_id: str, user_id: str) -> str:
        """Of a user that was prepared; empty for no user."""
        return self._users[account_id, user_id] if user_id else ""

    def seal(self, account_id: str, month: int, key: bytes, content: bytes, plain: bytes) -> tuple[bytes, bytes]:
        """(commitment, sealed) of a usage; `key` is its usage key."""
        _, inner, outer, cipher = self._keys[account_id, DATA, month]
        salt = sha256(outer + sha256(inner + key).digest()).digest()[:16]
        nonce = self._nonce()
        return sha256(salt + content).digest(), nonce + cipher.encrypt(nonce, plain, key)

    def seal_bytes(self, account_id: str, month: int, context: bytes, plain: bytes) -> bytes:
        """Anything else that is kept, bound to its context."""
        nonce = self._nonce()
        return nonce + self._keys[account_id, DATA, month].cipher.encrypt(nonce, plain, context)

    def _nonce(self) -> bytes:
        start = self._next
        if start == len(self._nonces):
            self._nonces, start = os.urandom(_NONCE * 512), 0
        self._next = start + _NONCE
        return self._nonces[start : start + _NONCE]

    def committed(self) -> None:
        """What was minted is stored now, and may be remembered."""
        self._vault.known_keys.update(self._minted)
        self._vault.known_users.update(self._minted_users)


def lookup_hash(key: Key, user: str) -> bytes:
    """Finds a user's row without telling whose it is."""
    return hmac.digest(key.raw, user.encode(), "sha256")


def salt_of(key: Key, usage_key: bytes) -> bytes:
    """The salt of a usage's commitment."""
    return hmac.digest(key.raw, usage_key, "sha256")[:16]


def _place(key_id: KeyId) -> bytes:
    return f"{key_id[0]}\0{key_id[1]}\0{key_id[2]}".encode()
