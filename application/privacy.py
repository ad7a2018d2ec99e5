"""Personal data on events: what is sealed, what is committed to, and the port of the vault that holds the keys.

Content (committed to) is what makes two reports the same call; the sealed record is everything personal about it.
Commitment = SHA-256(salt || content), salt = HMAC-SHA256(data key, usage key)[:16]: a usage id that comes again is a
duplicate when the commitment is the same and a conflict when not, and an auditor given salt and content can check it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from application.ports import DataKey, UserRow
from domain.money import ZERO
from domain.usage import Usage, normal_number_type

NO_ACCOUNT = "-"
_encode = msgspec.json.Encoder().encode


class Personal(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The sealed part of a debit: numbers, names, and every source field that is not needed for money."""

    caller: str
    callee: str
    user_id: str
    user_name: str
    number_type: str
    capability: str
    conference_id: str
    call_id: str
    charge: Decimal | None
    connection_fee: Decimal | None
    currency: str
    format: str
    extra: str  # JSON object of the source's other fields, empty where none


_personal = msgspec.json.Decoder(Personal)


def usage_key(account_id: str, usage_id: str) -> bytes:
    """16 bytes that name a usage of an account (account ids hold no NUL)."""
    return hashlib.sha256(f"{account_id}\0{usage_id}".encode()).digest()[:16]


def canonical_number(text: str) -> str:
    """Without the plus, masking as one star: the same number however it was written."""
    text = text.removeprefix("+")
    return text.rstrip("*") + "*" if text.endswith("*") else text


def content_of(usage: Usage, priced_in: str) -> bytes:
    """The canonical bytes that the commitment covers.

    `priced_in` is the currency of an account that is debited as priced, whose usage's price counts; else "".
    """
    caller, callee = usage.caller, usage.callee
    fields: list[object] = [
        usage.call_type,
        canonical_number(caller) if caller.endswith("*") else caller.removeprefix("+"),
        canonical_number(callee) if callee.endswith("*") else callee.removeprefix("+"),
        normal_number_type(usage.number_type) if usage.number_type else "",
        usage.started_at,
        usage.duration_seconds,
        usage.conference_id,
        usage.capability,
    ]
    if priced_in:
        fields += [_plain(usage.charge), _plain(usage.connection_fee), usage.currency or priced_in]
    return _encode(fields)


def _plain(amount: Decimal | None) -> str:
    return format((amount or ZERO).normalize(), "f")


def personal_of(usage: Usage) -> bytes:
    """The bytes to seal."""
    fields = (
        usage.caller,
        usage.callee,
        usage.user_id,
        usage.user_name,
        usage.number_type,
        usage.capability,
        usage.conference_id,
        usage.call_id,
        usage.charge,
        usage.connection_fee,
        usage.currency,
        usage.format,
        usage.extra.decode() if usage.extra else "",
    )
    return _encode(fields)  # as `Personal` would be: a struct made only to be encoded costs as much again


def decode_personal(plain: bytes) -> Personal:
    """The inverse of `personal_of`."""
    return _personal.decode(plain)


class Sealer(Protocol):
    """Keys and pseudonyms of one batch. What it mints becomes known to others only with the batch's commit."""

    keys: list[DataKey]  # minted here, to be committed
    users: list[UserRow]

    def prepare(self, months: Iterable[tuple[str, int]], users: Iterable[tuple[str, str]]) -> None:
        """Load, or mint, the data keys of (account, UTC month) and the pseudonyms of (account, user id), in bulk."""
        ...

    def pseudonym(self, account_id: str, user_id: str) -> str: ...

    def find(self, wanted: Sequence[tuple[str, int, str]]) -> Sequence[tuple[Any, str]]:
        """Of usages (account, UTC month, user id): the data key, and the user's pseudonym (empty for no user).

        In their order; what is not there yet is minted. `seal` takes the key.
        """
        ...

    def seal(self, data_key: Any, key: bytes, content: bytes, plain: bytes) -> tuple[bytes, bytes]:
        """(commitment, sealed) of a usage; `key` is its usage key."""
        ...

    def seal_bytes(self, account_id: str, month: int, context: bytes, plain: bytes) -> bytes:
        """Anything else that is kept, bound to its context."""
        ...

    def committed(self) -> None:
        """The batch's transaction is through: what was minted may be remembered."""
        ...


class Vault(Protocol):
    """Holds the keys of personal data, wrapped by the master key. Deleting a key is the erasure."""

    def sealer(self) -> Sealer: ...

    def commitments(self, wanted: list[tuple[str, int, bytes, bytes]]) -> list[bytes | None]:
        """Per (account, month, usage key, content) the commitment under the stored key; None where it was erased."""
        ...

    def unseal(self, account_id: str, month: int, context: bytes, sealed: bytes) -> bytes | None:
        """The plain bytes, None when the key was erased (or belongs to what came after an erasure)."""
        ...

    def find_user(self, account_id: str, user_id: str) -> str | None:
        """A known user's pseudonym."""
        ...

    def names(self, pseudonyms: Iterable[str]) -> dict[str, str]:
        """Names by pseudonym; an erased user is absent."""
        ...

    def seal_lasting(self, account_id: str, context: bytes, plain: bytes) -> bytes:
        """What belongs to no month, bound to its context; no account: `""`. It lasts as long as the users' names do."""
        ...

    def unseal_lasting(self, account_id: str, context: bytes, sealed: bytes) -> bytes | None:
        """The plain bytes, None when the key was erased."""
        ...

    def digest(self, data: bytes) -> bytes:
        """16 bytes keyed by a secret of this store: names a record without telling what is in it."""
        ...
