"""NDJSON, CloudEvents, and telling files apart by their content (interface.md, Files)."""

from __future__ import annotations

import json
import os
import threading
import tracemalloc
from pathlib import Path

import pytest

from consumers.files import open_usage
from domain.usage import Refusal, Usage
from tests.streams import repeated
from tests.usage_files import problems, records, usages, whole_refusal
from tests.usage_records import (
    ABSENT,
    EVENT,
    GRAPH_ROW,
    MESSAGE,
    ROW,
    SAMPLES,
    bent,
    csv_file,
    event,
    graph_page,
    message,
    taken,
)


def test_ndjson_is_a_message_a_line() -> None:
    data = message() + b"\n\n" + message(usage_id="2") + b"\r\n" + event()
    assert [item.usage_id for item in usages(data)] == ["6c3f0a52", "2", "/sbc/7#A1"]
    assert [line for _, line, _, _ in records(data)] == [1, 3, 4]


def test_ndjson_with_cr_alone_is_a_message_a_line() -> None:
    assert len(usages(message() + b"\r" + message(usage_id="2") + b"\r")) == 2


def test_a_bad_line_costs_only_itself() -> None:
    data = b"\n".join(
        [message(), b"{oops", b"\x00\x00", message(usage_id="2", callee=5), b"\xff", message(usage_id="3")]
    )
    assert problems(data) == [
        (2, "undecodable", ""),
        (3, "undecodable", ""),
        (4, "invalid_field", "callee"),
        (5, "undecodable", ""),
    ]
    assert len(records(data)) == 6


@pytest.mark.parametrize("first", [b"{oops", b'{"usage_id":"1"', b"rubbish", b"\x00\x01", b"{" + b"x" * (1 << 21)])
def test_ndjson_may_begin_with_a_bad_line(first: bytes) -> None:
    data = first + b"\n" + message() + b"\n"
    for format_ in ("auto", "ndjson"):
        good, bad = records(data, format=format_)[1], records(data, format=format_)[0]
        assert isinstance(bad[2], Refusal)
        assert isinstance(good[2], Usage)


def test_a_line_of_a_gibibyte_is_refused_and_the_next_is_read() -> None:
    stream = repeated(message() + b"\n", b"x" * (1 << 18), 1 << 6, b"\n" + message(usage_id="2") + b"\n")
    first, long, last = (item for _, _, item, _ in open_usage(stream, name="-"))
    assert isinstance(first, Usage)
    assert isinstance(last, Usage)
    assert isinstance(long, Refusal)
    assert (long.reason, len(long.raw)) == ("too_large", 4096)


@pytest.mark.parametrize("start", [b"", csv_file([])], ids=["ndjson", "csv"])
def test_memory_does_not_grow_with_the_file(start: bytes) -> None:
    lines = csv_file([ROW]).splitlines(keepends=True)[1:] if start else [message() + b"\n"]
    stream = repeated(start or lines[0], lines[0] * 100, 200)

    tracemalloc.start()
    count = sum(isinstance(item, Usage) for _, _, item, _ in open_usage(stream, name="-", account="contoso"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 20_000 + (not start)
    assert peak < 4 << 20


def test_usage_that_is_piped_in_is_taken_as_it_comes() -> None:
    read_end, write_end = os.pipe()
    first_taken = threading.Event()

    def publish() -> None:
        with os.fdopen(write_end, "wb") as pipe:
            pipe.write(message() + b"\n")
            pipe.flush()
            assert first_taken.wait(30)
            pipe.write(message(usage_id="2") + b"\n")

    publisher = threading.Thread(target=publish)
    publisher.start()
    with os.fdopen(read_end, "rb") as pipe:
        found = open_usage(pipe, name="-")
        assert next(found)[1] == 1
        first_taken.set()
        assert [line for _, line, _, _ in found] == [2]
    publisher.join()


def test_a_byte_order_mark_is_no_content() -> None:
    for data in (message(), csv_file([ROW]), graph_page(GRAPH_ROW), event()):
        assert len(usages(b"\xef\xbb\xbf" + data, account="contoso")) == 1


def test_an_empty_file_holds_nothing() -> None:
    for data in (b"", b"\n\n", b"\xef\xbb\xbf", b"\n" * (2 << 20)):
        assert records(data) == []


def test_one_event_or_a_batch_may_be_a_whole_document() -> None:
    assert len(usages(json.dumps(EVENT, indent=2).encode())) == 1
    assert len(usages(json.dumps([EVENT, bent(EVENT, {"id": "A2"})], indent=2).encode())) == 2
    assert len(usages(json.dumps(MESSAGE, indent=2).encode())) == 1
    assert records(b"[]") == []


def test_the_elements_of_a_batch_are_refused_one_by_one() -> None:
    data = json.dumps([EVENT, 5, None, bent(EVENT, {"type": "x"})]).encode()
    assert problems(data) == [(2, "undecodable", ""), (3, "undecodable", ""), (4, "invalid_field", "type")]


def test_the_named_account_is_for_lines_that_name_none() -> None:
    data = message(account_id=ABSENT) + b"\n" + message(account_id="fabrikam", usage_id="2")
    assert problems(data, account="contoso") == [(2, "account_mismatch", "account_id")]


@pytest.mark.parametrize("data", [csv_file([ROW]), graph_page(GRAPH_ROW), json.dumps(GRAPH_ROW).encode()])
def test_rows_that_name_no_account_need_one(data: bytes) -> None:
    assert whole_refusal(data).code == "account_required"


@pytest.mark.parametrize(
    ("data", "format_"),
    [
        (message(), "pstn-csv"),
        (message(), "graph"),
        (csv_file([ROW]), "graph"),
        (csv_file([ROW]), "cloudevents"),
        (graph_page(GRAPH_ROW), "pstn-csv"),
        (b"PK\x03\x04", "ndjson"),
    ],
)
def test_a_file_that_is_not_of_the_named_format_is_refused(data: bytes, format_: str) -> None:
    assert whole_refusal(data, account="contoso", format=format_).code == "undecodable"


@pytest.mark.parametrize(
    ("data", "format_"),
    [
        (message(), "ndjson"),
        (event(), "cloudevents"),
        (csv_file([ROW]), "pstn-csv"),
        (graph_page(GRAPH_ROW), "graph"),
        (json.dumps(GRAPH_ROW).encode(), "graph"),
    ],
)
def test_a_file_of_the_named_format_is_taken(data: bytes, format_: str) -> None:
    assert len(usages(data, account="contoso", format=format_)) == 1


@pytest.mark.parametrize(
    "data",
    [message().decode().encode("utf-16"), csv_file([ROW]).decode().encode("utf-16"), b"\x1f\x8b\x08", b"hello\n"],
)
def test_what_is_no_usage_file_is_refused(data: bytes) -> None:
    for format_ in ("auto", "pstn-csv"):
        assert whole_refusal(data, account="contoso", format=format_).code == "undecodable"


@pytest.mark.parametrize("separator", [b";", b"\t"])
def test_a_table_that_is_separated_otherwise_is_told_what_to_do(separator: bytes) -> None:
    refused = whole_refusal(csv_file([ROW]).replace(b",", separator), account="contoso")
    assert (refused.code, refused.message.rpartition(": ")[2]) == ("undecodable", "save it with commas")


def test_a_path_is_opened_and_closed(tmp_path: Path) -> None:
    path = tmp_path / "usage.ndjson"
    path.write_bytes(message())
    assert [(name, line) for name, line, _, _ in open_usage(path, name="usage.ndjson")] == [("usage.ndjson", 1)]
    with pytest.raises(FileNotFoundError):
        list(open_usage(tmp_path / "absent", name="absent"))


@pytest.mark.parametrize("name", ["graph_v1_getPstnCalls_response.json", "graph_beta_getPstnCalls_response.json"])
def test_graphs_documented_pages_are_taken(name: str) -> None:
    [usage] = usages((SAMPLES / name).read_bytes(), account="contoso")
    assert (usage.usage_id, usage.charge, str(usage.charge)) == ("9c4984c7-6c3c-427d-a30c-bd0b2eacee90", 0, "0.00")
    assert (usage.started_at, usage.duration_seconds) == (1_572_566_408_258_993, 219)
    assert (usage.capability, usage.number_type, usage.currency) == ("MCOPSTNU", "Subscriber", "USD")


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("graph_beta_getPstnOnlineMeetingDialoutReport_response.json", "callType"),
        ("cli_m365_report_pstncalls.csv", "callType"),
        ("pstn_usage_export_columns.csv", "Destination Number"),
    ],
)
def test_samples_that_are_no_call_log_are_refused_naming_what_is_missing(name: str, missing: str) -> None:
    error = whole_refusal((SAMPLES / name).read_bytes(), account="contoso")
    assert error.code == "missing_columns"
    assert missing in error.message


def test_the_published_event_of_another_type_is_refused() -> None:
    assert problems((SAMPLES / "cloudevents_duration.json").read_bytes()) == [(1, "invalid_field", "type")]


def test_the_same_usage_comes_out_of_every_door() -> None:
    plain = taken(message())
    [line], [row] = usages(message()), usages(json.dumps(MESSAGE, indent=1).encode())
    assert line == row == plain
