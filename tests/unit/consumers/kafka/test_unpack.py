"""What was fetched, unpacked: as kafka-python itself does it, and nothing that is broken is taken."""

from collections import namedtuple
from collections.abc import Sequence
from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.protocol.consumer import IsolationLevel
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.legacy_records import LegacyRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords
from kafka.record.util import calc_crc32c
from kafka.structs import TopicPartition

from consumers.kafka.unpack import PartitionRecords, unpack

Message = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]
Aborted = namedtuple("Aborted", "producer_id first_offset")
NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
MARK, CHECKSUM, FROM = 0x20, slice(17, 21), 21
octets = st.none() | st.binary(max_size=300)
messages = st.lists(st.tuples(octets, octets, st.lists(st.tuples(st.text(max_size=5), octets), max_size=3)), min_size=1)


def batch(base: int, given: Sequence[Message], codec: int = NONE, producer: int = -1, mark: bool = False) -> bytes:
    """As a broker stores it."""
    builder = DefaultRecordBatchBuilder(2, codec, producer >= 0, producer, 0, 0, 1 << 20)
    for place, (key, value, headers) in enumerate(given):
        assert builder.append(place, 1_764_000_000_000 + 1_000 * place, key, value, headers)
    built = bytearray(builder.build())
    built[:8] = pack(">q", base)
    if mark:
        built[22] |= MARK
        built[CHECKSUM] = pack(">I", calc_crc32c(memoryview(built)[FROM:]))
    return bytes(built)


def end(base: int, producer: int, *, aborted: bool) -> bytes:
    """A transaction's mark."""
    return batch(base, [(pack(">hh", 0, 0 if aborted else 1), pack(">hi", 0, 0), [])], producer=producer, mark=True)


def take(kind: Any, fetched: bytes, start: int = 0, aborted: Sequence[Aborted] = (), most: int = 1_000) -> Any:
    """What each of the two reads, and where it goes on."""
    level = IsolationLevel.READ_COMMITTED
    reader = kind(
        start, TopicPartition("calls", 0), MemoryRecords(fetched), isolation_level=level, aborted_transactions=aborted
    )
    found = [(each.offset, each.key, each.value, list(each.headers)) for each in reader.take(most)]
    return found, reader.next_fetch_offset, reader.leader_epoch, bool(reader)


def test_transactions_and_their_marks_are_read_as_kafka_python_reads_them() -> None:
    calls: list[Message] = [(b"contoso", b"call", []), (None, None, [("source", b"pbx"), ("empty", None)])]
    fetched = b"".join(
        (
            batch(0, calls),
            batch(2, calls, producer=7),
            batch(4, calls, producer=8),
            end(6, 8, aborted=True),
            end(7, 7, aborted=False),
            batch(8, calls, producer=8),
            end(10, 8, aborted=False),
        )
    )
    aborted = [Aborted(8, 4)]
    for most in (1, 3, 6, 1_000):
        expected = take(Fetcher.PartitionRecords, fetched, 1, aborted, most)
        assert take(PartitionRecords, fetched, 1, aborted, most) == expected
    found, reached, _, _ = take(PartitionRecords, fetched, 1, aborted)
    assert [offset for offset, *_ in found] == [1, 2, 3, 8, 9]
    assert reached == 11


def test_batches_of_an_older_format_are_left_to_kafka_python() -> None:
    builder = LegacyRecordBatchBuilder(1, 0, 1 << 20)
    assert builder.append(0, 1_764_000_000_000, b"contoso", b"old")
    fetched = bytes(builder.build()) + batch(1, [(b"contoso", b"new", [])])
    assert take(PartitionRecords, fetched) == take(Fetcher.PartitionRecords, fetched)
    assert [value for _, _, value, _ in take(PartitionRecords, fetched)[0]] == [b"old", b"new"]


@given(messages, st.sampled_from((NONE, GZIP, SNAPPY, LZ4, ZSTD)))
def test_every_message_is_read_as_kafka_python_reads_it(given: list[Message], codec: int) -> None:
    fetched = batch(1_000, given, codec)
    assert take(PartitionRecords, fetched, 1_000) == take(Fetcher.PartitionRecords, fetched, 1_000)


def test_a_header_whose_key_is_not_text_keeps_no_message_back() -> None:
    fetched = bytearray(batch(0, [(b"contoso", b"call", [("k?y", b"1"), ("source", b"pbx")])]))
    fetched[fetched.index(b"k?y") + 1] = 0xFF
    fetched[CHECKSUM] = pack(">I", calc_crc32c(memoryview(fetched)[FROM:]))
    [(_, _, value, headers)], reached, *_ = take(PartitionRecords, bytes(fetched))
    assert (value, headers, reached) == (b"call", [("k\ufffdy", b"1"), ("source", b"pbx")], 1)


@given(messages, st.data())
def test_a_batch_with_a_wrong_byte_is_refused(given: list[Message], data: st.DataObject) -> None:
    fetched = bytearray(batch(0, given))
    place = data.draw(st.integers(FROM, len(fetched) - 1))
    fetched[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CorruptRecordError, match="checksum"):
        take(PartitionRecords, bytes(fetched))


@given(messages, st.data())
def test_a_record_that_does_not_fit_its_batch_is_refused_even_with_the_right_checksum(
    given: list[Message], data: st.DataObject
) -> None:
    fetched = bytearray(batch(0, given))
    del fetched[data.draw(st.integers(62, len(fetched) - 1)) :]
    [broken] = [_Broken(bytes(fetched))]
    with pytest.raises(CorruptRecordError):
        list(unpack(broken))


class _Broken:
    """A batch that ends too early."""

    base_offset = 0
    _pos = 61

    def __init__(self, content: bytes) -> None:
        self._buffer = content
        self.records_count = int.from_bytes(content[57:61], "big")

    def _maybe_uncompress(self) -> None:
        """It is not compressed."""


@pytest.mark.parametrize("codec", [NONE, GZIP])
def test_what_is_broken_is_refused_each_time_it_is_fetched_and_keeps_nothing_waiting(codec: int) -> None:
    good, broken = batch(7, [(b"contoso", b"call", [])]), bytearray(batch(8, [(b"contoso", b"other", [])], codec))
    broken[-4:] = b"\xff\xff\xff\xff"
    broken[CHECKSUM] = pack(">I", calc_crc32c(memoryview(broken)[FROM:]))
    calls = TopicPartition("calls", 0)

    reader = PartitionRecords(7, calls, MemoryRecords(good + bytes(broken)))
    assert [each.offset for each in reader.take(10)] == [7]
    assert not reader  # kafka-python would ask one that has ended like this for more, for ever
    assert reader.next_fetch_offset == 8

    again = PartitionRecords(8, calls, MemoryRecords(bytes(broken)))
    with pytest.raises(CorruptRecordError, match="offset 8"):
        again.take(10)
    assert not again
