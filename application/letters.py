"""Making dead letters: what could not be taken is kept whole, encrypted, with its reason and its source."""

import hashlib
from collections.abc import Sequence

import msgspec

from application.ports import Letter
from application.privacy import NO_ACCOUNT, Sealer, Vault
from domain.months import utc_month
from domain.usage import Refusal, Usage


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """One record on its way in. `raw`: the record as a letter keeps it, in the format that `record` names.
    `topic_id`: Kafka's, or empty.
    """

    record: Usage | Refusal
    source: tuple[str, str, int, int]  # kafka: topic, partition, offset; file, stdin, http: name, line, 0
    raw: bytes = b""
    topic_id: str = ""


def letters_of(refused: Sequence[tuple[Incoming, Refusal]], vault: Vault, sealer: Sealer, now: int) -> list[Letter]:
    """Dead letters, sealed under the record's account (or none) and the month of receipt.

    From Kafka a letter is unique by topic id, partition and offset; from elsewhere by a keyed hash of bytes, reason and
    account, so that a file taken in again does not store it twice while the letter is open.
    """
    if not refused:
        return []
    month = utc_month(now)
    sealer.prepare({(reason.account_id or NO_ACCOUNT, month) for _, reason in refused}, ())
    letters: dict[bytes, Letter] = {}
    for place, (item, reason) in enumerate(refused):
        letter = _letter(item, reason, vault, sealer, now, place)
        letters.setdefault(letter.source_key, letter)
    return list(letters.values())


def _letter(item: Incoming, reason: Refusal, vault: Vault, sealer: Sealer, now: int, place: int) -> Letter:
    content = _content(item)
    source_key = _source_key(item, reason, content, vault)
    letter_id = f"{now:014x}{place:05x}{source_key.hex()[:5]}"  # sorts by receipt
    month = utc_month(now)
    account = reason.account_id or NO_ACCOUNT
    return Letter(
        letter_id,
        reason.reason,
        reason.field,
        reason.message,
        reason.account_id,
        reason.usage_id,
        item.source,
        item.record.format,
        source_key,
        month,
        sealer.seal_bytes(account, month, letter_id.encode(), content),
        now,
    )


def _content(item: Incoming) -> bytes:
    """What a refusal keeps itself is the first bytes of a record that is too large."""
    return (item.record.raw if isinstance(item.record, Refusal) else b"") or item.raw


def _source_key(item: Incoming, reason: Refusal, content: bytes, vault: Vault) -> bytes:
    if item.topic_id:
        _, _, partition, offset = item.source
        return hashlib.sha256(f"{item.topic_id}\0{partition}\0{offset}".encode()).digest()[:16]
    return record_key(content, reason, vault)


def record_key(content: bytes, reason: Refusal, vault: Vault) -> bytes:
    """Names a record that has no place of its own in a topic, with why it was refused."""
    return vault.digest(content + f"\0{reason.reason}\0{reason.account_id}".encode())
