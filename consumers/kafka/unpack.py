"""Reads the records of what was fetched: only the fields that are used, in a third of kafka-python's time.

`PartitionRecords` takes the place of the class by which kafka-python's fetcher reads a partition's answer. What is
known of transactions (which are aborted, what is a mark) is kafka-python's; the loop over a batch's records is ours.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.protocol.consumer import IsolationLevel
from kafka.record.util import decode_varint

_MAGIC: Final = 2  # the format since Kafka 0.11


class Record(msgspec.Struct, frozen=True, gc=False):
    """A message, as far as it is used."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, Any]]  # bytes or None


class Unreadable(CorruptRecordError):  # type: ignore[misc]  # kafka-python ships no types
    """What comes at an offset of a partition cannot be read: broken, or packed in a way that is not known here."""

    def __init__(self, partition: Any, offset: int, why: Exception) -> None:
        super().__init__(f"{partition.topic}/{partition.partition} at offset {offset}: {why}")
        self.partition, self.offset = partition, offset


class PartitionRecords(Fetcher.PartitionRecords):  # type: ignore[misc]  # kafka-python ships no types
    """One partition's part of an answer."""

    def _unpack_records(self, tp: Any, records: Any, *deserializers: Any) -> Iterator[Any]:
        try:
            yield from self._read(tp, records, *deserializers)
        except Exception as error:
            self.drain()  # so that it is fetched anew: kafka-python would ask what has ended here for ever
            raise Unreadable(tp, self.next_fetch_offset, error) from error

    def _read(self, tp: Any, records: Any, *deserializers: Any) -> Iterator[Any]:
        last = None
        while (batch := records.next_batch()) is not None:
            if batch.magic != _MAGIC:
                yield from super()._unpack_records(tp, _Rest(batch, records), *deserializers)
                return
            last = batch
            if self.check_crcs and not batch.validate_crc():
                raise CorruptRecordError(f"the batch at offset {batch.base_offset} of {tp} has a wrong checksum")
            self.leader_epoch = batch.leader_epoch
            if self._is_to_pass_over(batch):
                self.next_fetch_offset = batch.next_offset
                continue
            for record in unpack(batch):
                self.next_fetch_offset = record.offset + 1
                yield record
        if last is not None:
            self.next_fetch_offset = last.next_offset  # a topic that is compacted may lack the last record
        self.drain()

    def _is_to_pass_over(self, batch: Any) -> bool:
        """Whether it is a transaction's mark or was aborted."""
        if self.isolation_level == IsolationLevel.READ_COMMITTED and batch.has_producer_id():
            self._consume_aborted_transactions_up_to(batch.last_offset)
            if self._contains_abort_marker(batch):
                self.aborted_producer_ids.discard(batch.producer_id)
            elif self._is_batch_aborted(batch):
                return True
        return bool(batch.is_control_batch)


class _Rest:
    """A batch that was taken already, and those after it."""

    def __init__(self, batch: Any, records: Any) -> None:
        self._batch, self._records = batch, records

    def next_batch(self) -> Any:
        batch, self._batch = self._batch, None
        return batch or self._records.next_batch()


def unpack(batch: Any) -> Iterator[Record]:
    """The records of a batch in the format of today. Raises CorruptRecordError."""
    batch._maybe_uncompress()
    buffer, at, base = bytes(batch._buffer), batch._pos, batch.base_offset
    try:
        for _ in range(batch.records_count):
            head, more = buffer[at], buffer[at + 1]
            if head & 0x81 == 0x80 and more < 0x80:  # two bytes, as most are
                at += 2
                end = at + (head >> 1 & 0x3F | more << 6)
            else:
                length, at = decode_varint(buffer, at)
                end = at + length
            at += 1  # attributes: none are in use
            while buffer[at] & 0x80:  # the timestamp
                at += 1
            head, more = buffer[at + 1], buffer[at + 2]
            if head & 0x81 == 0x80 and more < 0x80:
                delta, at = head >> 1 & 0x3F | more << 6, at + 3
            else:
                delta, at = decode_varint(buffer, at + 1)
            size = buffer[at]
            if size & 0x81:  # negative or longer than a byte
                size, at = decode_varint(buffer, at)
            else:
                size, at = size >> 1, at + 1
            key = None if size < 0 else buffer[at : at + size]
            at += size if size > 0 else 0
            head, more = buffer[at], buffer[at + 1]
            if head & 0x81 == 0x80 and more < 0x80:
                size, at = head >> 1 & 0x3F | more << 6, at + 2
            else:
                size, at = decode_varint(buffer, at)
            value = None if size < 0 else buffer[at : at + size]
            at += size if size > 0 else 0
            headers: Sequence[tuple[str, Any]] = ()
            if at + 1 == end and not buffer[at]:
                at = end
            else:
                headers, at = _headers(buffer, at)
            if at != end:
                raise CorruptRecordError(f"a record of {length} bytes ends {at - end} bytes after its end")
            yield Record(base + delta, key, value, headers)
    except (ValueError, IndexError) as error:
        raise CorruptRecordError(f"a record of the batch at offset {base} is broken: {error}") from error
    if at != len(buffer):
        raise CorruptRecordError(f"{len(buffer) - at} bytes follow the last record of the batch at offset {base}")


def _headers(buffer: bytes, at: int) -> tuple[list[tuple[str, Any]], int]:
    """These, and where they end."""
    headers: list[tuple[str, Any]] = []
    count, at = decode_varint(buffer, at)
    if count < 0:
        raise CorruptRecordError(f"{count} headers")
    for _ in range(count):
        size, at = decode_varint(buffer, at)
        if size < 0:
            raise CorruptRecordError(f"a header's key of {size} bytes")
        key = buffer[at : at + size].decode(errors="replace")  # a broker takes any bytes
        at += size
        size, at = decode_varint(buffer, at)
        headers.append((key, buffer[at : at + size] if size >= 0 else None))
        at += max(size, 0)
    return headers, at
