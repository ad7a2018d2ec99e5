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
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from application.ports import Commit, DataKey, Store, UserRow, WriteConflict
from application.privacy import NO_ACCOUNT
from application.recent import Recent
from domain.usage import user_key

KeyId = tuple[str, str, int]
User = tuple[str, str]  # account, and the user's name as it came
DATA, LOOKUP = "data", "lookup"
_NONCE = 12
USERS_A_KEY = 8


class WrongMasterKey(Exception):
    """A stored key does not open: the master key is not the one it was wrapped with."""


class Key:
    """A key of 32 bytes, made ready at its first use: with its cipher's state it has about 2.5 KB.

    `inner` and `outer` are HMAC's padded keys: two plain digests cost half of what `hmac.digest` does.
    """

    __slots__ = ("cipher", "inner", "outer", "raw")
    cipher: AESGCM
    inner: bytes
    outer: bytes

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def __getattr__(self, name: str) -> Any:
        if name not in Key.__slots__:
            raise AttributeError(name)
        padded = self.raw.ljust(64, b"\0")
        self.inner, self.outer, self.cipher = padded.translate(_INNER), padded.translate(_OUTER), AESGCM(self.raw)
        return getattr(self, name)


_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class KeyVault:
    """`application.privacy.Vault` over the store's key and user tables.

    `capacity`: keys that stay in memory; USERS_A_KEY times as many pseudonyms, which are as much smaller.
    """

    def __init__(self, master_key: bytes, store: Store, capacity: int = 40_000) -> None:
        if len(master_key) != 32:
            raise ValueError("the master key has 32 bytes")
        self._master = AESGCM(master_key)
        self._store = store
        self.known_keys: Recent[KeyId, Key] = Recent(capacity)
        self.known_users: Recent[User, str] = Recent(capacity * USERS_A_KEY)
        self._digest_key: bytes | None = None

    def has_room(self, more: int) -> bool:
        """Whether so many more keys and users would push nobody out of memory."""
        return self.known_keys.has_room(more) and self.known_users.has_room(more)

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
        return Key(raw)

    def load_keys(self, wanted: Iterable[KeyId]) -> dict[KeyId, Key]:
        """Those that exist, from the cache or in one look-up."""
        return self.known_keys.find(set(wanted), self._stored_keys)

    def _stored_keys(self, wanted: Iterable[KeyId]) -> dict[KeyId, Key]:
        rows = self._store.data_keys(list(wanted))
        return {key_id: self._unwrap(key_id, wrapped) for key_id, wrapped in rows.items()}

    def load_users(self, wanted: Iterable[User]) -> dict[User, str]:
        """Pseudonyms of the users that exist, named as they are asked for."""
        return self.known_users.find(set(wanted), self._stored_users)

    def _stored_users(self, wanted: Iterable[User]) -> dict[User, str]:
        """Under the lookup keys of their accounts. Several spellings of a name are one user."""
        keys = self.load_keys((account, LOOKUP, 0) for account, _ in wanted)
        lookups = {
            (account, user_id): (account, lookup_hash(key, user_key(user_id)))
            for account, user_id in wanted
            if (key := keys.get((account, LOOKUP, 0))) is not None
        }
        stored = self._store.users(list(set(lookups.values()))) if lookups else {}
        return {user: stored[lookup] for user, lookup in lookups.items() if lookup in stored}

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
        return self.load_users([(account_id, user_id)]).get((account_id, user_id))

    def names(self, pseudonyms: Iterable[str]) -> dict[str, str]:
        """Names by pseudonym; an erased user is absent."""
        rows = self._store.user_names(list(pseudonyms))
        keys = self.load_keys({(account, LOOKUP, 0) for account, _ in rows.values()})
        names = {}
        for pseudonym, (account, sealed) in rows.items():
            key = keys.get((account, LOOKUP, 0))
            if key is not None:
                plain = AESGCM(key.raw).decrypt(sealed[:_NONCE], sealed[_NONCE:], pseudonym.encode())
                names[pseudonym] = plain.decode()
        return names

    def digest(self, data: bytes) -> bytes:
        """16 bytes keyed by a secret of this store."""
        if self._digest_key is None:
            self._digest_key = self._lasting_key(NO_ACCOUNT).raw
        return hmac.digest(self._digest_key, data, "sha256")[:16]

    def seal_lasting(self, account_id: str, context: bytes, plain: bytes) -> bytes:
        """Under the key that the names of the account's users are sealed with, which is committed first."""
        nonce = os.urandom(_NONCE)
        return nonce + self._lasting_key(account_id or NO_ACCOUNT).cipher.encrypt(nonce, plain, context)

    def unseal_lasting(self, account_id: str, context: bytes, sealed: bytes) -> bytes | None:
        """The plain bytes, None when the key was erased."""
        key_id = (account_id or NO_ACCOUNT, LOOKUP, 0)
        key = self.load_keys([key_id]).get(key_id)
        if key is None:
            return None
        try:
            return key.cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], context)
        except InvalidTag:
            return None  # the account has another key since

    def _lasting_key(self, account_id: str) -> Key:
        key_id = (account_id, LOOKUP, 0)
        found = self.load_keys([key_id])
        if key_id not in found:
            sealer = self.sealer()
            sealer.mint(key_id)
            with contextlib.suppress(WriteConflict):  # another process was first: its key is the one
                self._store.commit(Commit(keys=sealer.keys))
            found = self.load_keys([key_id])
        return found[key_id]


class BatchSealer:
    """`application.privacy.Sealer`: what one batch seals, and the keys and users it mints."""

    def __init__(self, vault: KeyVault) -> None:
        self._vault = vault
        self.keys: list[DataKey] = []
        self.users: list[UserRow] = []
        self._keys: dict[KeyId, Key] = {}
        self._minted: dict[KeyId, Key] = {}
        self._users: dict[User, str] = {}
        self._minted_users: dict[User, str] = {}
        self._nonces = b""
        self._next = 0

    def prepare(self, months: Iterable[tuple[str, int]], users: Iterable[User]) -> None:
        """Load, or mint, the data keys of (account, month) and the pseudonyms of (account, user id)."""
        wanted = {(account, DATA, month) for account, month in months}
        self._load_keys(wanted)
        named = set(users)
        self._users.update(self._vault.load_users(named))
        new = named.difference(self._users)
        if new:
            self._load_keys({(account, LOOKUP, 0) for account, _ in new})
            self._mint_users(new)

    def _load_keys(self, wanted: set[KeyId]) -> None:
        self._keys.update(self._vault.load_keys(wanted.difference(self._keys)))
        for key_id in wanted.difference(self._keys):
            self.mint(key_id)

    def mint(self, key_id: KeyId) -> Key:
        """A new random key, and its row to be committed."""
        raw = secrets.token_bytes(32)
        key = self._keys[key_id] = self._minted[key_id] = Key(raw)
        self.keys.append(DataKey(*key_id, self._vault.wrap(key_id, raw)))
        return key

    def _mint_users(self, users: Iterable[User]) -> None:
        """Several spellings of a name are one user."""
        minted: dict[User, str] = {(account, user_key(name)): it for (account, name), it in self._minted_users.items()}
        for account, user_id in users:
            folded = (account, user_key(user_id))
            if folded not in minted:
                minted[folded] = self._mint_user(folded, user_id)
            self._users[account, user_id] = self._minted_users[account, user_id] = minted[folded]

    def _mint_user(self, user: User, user_id: str) -> str:
        key = self._keys[user[0], LOOKUP, 0]
        pseudonym = secrets.token_urlsafe(12)
        nonce = self._nonce()
        cipher = AESGCM(key.raw)  # used once or a few times in all: not worth being kept
        sealed = nonce + cipher.encrypt(nonce, user_id.encode(), pseudonym.encode())
        self.users.append(UserRow(user[0], pseudonym, lookup_hash(key, user[1]), sealed))
        return pseudonym

    def pseudonym(self, account_id: str, user_id: str) -> str:
        """Of a user that was prepared; empty for no user."""
        return self._users[account_id, user_id] if user_id else ""

    def find(self, wanted: Sequence[tuple[str, int, str]]) -> list[tuple[Key, str]]:
        """See the port. Most are in the vault's caches; only the others are loaded or minted."""
        known_key, known_user = self._vault.known_keys.get, self._vault.known_users.get
        found: list[tuple[Key | None, str | None]] = []
        missing: list[int] = []
        key, of, at = None, "", 0
        for account, month, user_id in wanted:
            if account != of or month != at:  # those of an account come one after the other
                key, of, at = known_key((account, DATA, month)), account, month
            user = known_user((account, user_id)) if user_id else ""
            if key is None or user is None:
                missing.append(len(found))
            found.append((key, user))
        if missing:
            if not self._vault.has_room(len(missing)):
                missing = list(range(len(wanted)))  # so that those in use are not the ones that have to go
            self._find_anew(wanted, missing, found)
        return cast("list[tuple[Key, str]]", found)

    def _find_anew(
        self, wanted: Sequence[tuple[str, int, str]], places: list[int], found: list[tuple[Key | None, str | None]]
    ) -> None:
        usages = [wanted[place] for place in places]
        self.prepare(
            {(account, month) for account, month, _ in usages}, {(account, user) for account, _, user in usages if user}
        )
        for place, (account, month, user_id) in zip(places, usages, strict=True):
            found[place] = self._keys[account, DATA, month], self.pseudonym(account, user_id)

    def seal(self, data_key: Key, key: bytes, content: bytes, plain: bytes) -> tuple[bytes, bytes]:
        """(commitment, sealed) of a usage; `key` is its usage key."""
        salt = sha256(data_key.outer + sha256(data_key.inner + key).digest()).digest()[:16]
        start = self._next
        if start == len(self._nonces):
            self._nonces, start = os.urandom(_NONCE * 512), 0
        self._next = end = start + _NONCE
        nonce = self._nonces[start:end]
        return sha256(salt + content).digest(), nonce + data_key.cipher.encrypt(nonce, plain, key)

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
        self._vault.known_keys.keep(self._minted)
        self._vault.known_users.keep(self._minted_users)


def lookup_hash(key: Key, user: str) -> bytes:
    """Finds a user's row without telling whose it is."""
    return hmac.digest(key.raw, user.encode(), "sha256")


def salt_of(key: Key, usage_key: bytes) -> bytes:
    """The salt of a usage's commitment."""
    return hmac.digest(key.raw, usage_key, "sha256")[:16]


def _place(key_id: KeyId) -> bytes:
    return f"{key_id[0]}\0{key_id[1]}\0{key_id[2]}".encode()
