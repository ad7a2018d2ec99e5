"""Records are read as kafka-python reads them, only quicker."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.protocol.consumer import IsolationLevel
from kafka.record.memory_records import MemoryRecords, MemoryRecordsBuilder

from consumers.kafka.unpack import PartitionRecords

PARTITION = TopicPartition("calls", 3)
CODECS = range(5)  # none, gzip, snappy, lz4, zstd
NO_SNAPPY = [codec for codec in CODECS if codec != 2]
BATCH_BYTES = 1 << 20
COUNT_AT = 57  # of the number of records, in a batch's header
FIRST_AT = 61  # of the first record

Written = tuple[int, bytes | None, bytes | None, list[tuple[str, bytes]]]  # timestamp, key, value, headers

texts = st.binary(max_size=300) | st.none()
headers = st.lists(st.tuples(st.text(max_size=90), st.binary(max_size=90)), max_size=3)
written = st.tuples(st.integers(0, 2**45), texts, texts, headers)


def batch(records: Sequence[Written], codec: int = 0, magic: int = 2, offset: int = 0, **transaction: Any) -> bytes:
    """A batch as a producer sends it and a broker stores it."""
    builder = MemoryRecordsBuilder(magic, codec, BATCH_BYTES, **transaction)
    for timestamp, key, value, more in records:
        builder.append(timestamp, key, value, more)
    builder.close()
    data = bytearray(builder.buffer())
    struct.pack_into(">q", data, 0, offset)  # the broker's doing
    return bytes(data)


def take(kind: Any, data: bytes, start: int = 0, counts: Sequence[int] = (), aborted: Sequence[Any] = ()) -> Any:
    """What a fetch gives in portions of so many records, and the position after each."""
    fetched = kind(
        start,
        PARTITION,
        MemoryRecords(data),
        isolation_level=IsolationLevel.READ_COMMITTED,
        aborted_transactions=list(aborted),
    )
    portions = []
    for count in [*counts, 1_000]:
        records = fetched.take(count) if fetched else []
        found = [(each.offset, each.key, each.value, each.headers) for each in records]
        portions.append((found, fetched.next_fetch_offset, fetched.leader_epoch))
    return portions


def same(data: bytes, **options: Any) -> Any:
    """What ours gives, which is what kafka-python's own gives."""
    ours = take(PartitionRecords, data, **options)
    assert ours == take(Fetcher.PartitionRecords, data, **options)
    return ours


@given(st.lists(written, min_size=1, max_size=20), st.sampled_from(NO_SNAPPY), st.lists(st.integers(1, 9), max_size=4))
def test_every_record_is_read_as_kafka_python_reads_it(records: list[Written], codec: int, counts: list[int]) -> None:
    data = batch(records, codec) + batch(records, offset=len(records) + 5)

    portions = same(data, counts=counts)

    assert [each[1:] for found, _, _ in portions for each in found] == [each[1:] for each in records * 2]
    assert portions[-1][1] == 2 * len(records) + 5


def test_offsets_and_sizes_of_any_length() -> None:
    records: list[Written] = [(n, b"k" * (n % 70), b"v" * (n * 97 % 20_000), []) for n in range(300)]
    same(batch(records, offset=2**40), start=2**40)


@pytest.mark.parametrize("magic", [0, 1])
def test_batches_of_old_are_read_too(magic: int) -> None:
    [(found, _, _)] = same(batch([(1, b"key", b"value", []), (2, None, None, [])], magic=magic))
    assert found == [(0, b"key", b"value", []), (1, None, None, [])]


def test_a_fetch_may_begin_in_the_middle_of_a_batch() -> None:
    [(found, _, _)] = same(batch([(1, None, b"%d" % n, []) for n in range(9)]), start=6)
    assert [offset for offset, *_ in found] == [6, 7, 8]


def test_what_was_aborted_is_passed_over() -> None:
    transaction = {"transactional": True, "producer_id": 7, "producer_epoch": 0, "base_sequence": 0}
    data = batch([(1, None, b"aborted", [])], **transaction) + batch([(1, None, b"other", [])], offset=1)
    aborted = [SimpleNamespace(first_offset=0, producer_id=7)]

    [(found, position, _)] = same(data, aborted=aborted)
    assert [value for _, _, value, _ in found] == [b"other"]
    assert position == 2

    [(found, _, _)] = same(data)
    assert [value for _, _, value, _ in found] == [b"aborted", b"other"]


def test_a_batch_that_was_changed_on_its_way_is_told() -> None:
    data = bytearray(batch([(1, None, b"value", [])]))
    data[-3] ^= 1
    with pytest.raises(CorruptRecordError, match="not as it was written"):
        take(PartitionRecords, bytes(data))


@given(st.data())
def test_a_record_that_is_wrong_is_told_as_such_and_by_nothing_else(choose: st.DataObject) -> None:
    data = bytearray(batch([(1, b"key", b"value", [("name", b"content")]), (2, None, b"value", [])]))
    place = choose.draw(st.integers(FIRST_AT, len(data) - 1) | st.integers(COUNT_AT, FIRST_AT - 1))
    data[place] = choose.draw(st.integers(0, 255))
    fetched = PartitionRecords(0, PARTITION, MemoryRecords(bytes(data)), check_crcs=False)
    try:
        records = fetched.take(1_000)
    except CorruptRecordError:
        return
    assert all(isinstance(each.value, bytes | None) for each in records)


def test_a_headers_name_may_be_any_bytes() -> None:
    data = bytearray(batch([(1, None, b"value", [("name", b"content")])]))
    data[data.index(b"name")] = 0xFF
    fetched = PartitionRecords(0, PARTITION, MemoryRecords(bytes(data)), check_crcs=False)
    [record] = fetched.take(1)
    assert record.headers == [("\ufffdame", b"content")]
