"""Every format of usage, and what must hold for any input: it is taken or refused with a stable reason."""

from __future__ import annotations

import io
import json
import zipfile
from decimal import Decimal

from consumers.decode import decode_message, decode_record
from consumers.files import open_usage
from consumers.refusals import FileRefused
from consumers.values import check_account_id, check_text
from domain.usage import CALL_TYPES, MAX_DURATION_SECONDS, Refusal, Usage
from tests.fuzz.mutations import Target
from tests.usage_records import EVENT, GRAPH_ROW, MESSAGE, ROW, bent, csv_file, event, graph_page, message

REASONS = {
    "undecodable",
    "duplicate_key",
    "missing_field",
    "invalid_field",
    "account_mismatch",
    "unknown_call_type",
    "too_large",
}
FILE_CODES = {"account_required", "undecodable", "missing_columns", "duplicate_key", "too_large", "unsafe_archive"}
SAME = ("usage_id", "account_id", "call_type", "caller", "callee", "user_id", "number_type", "capability", "call_id")
LIMIT = Decimal(10) ** 12
BOM = b"\xef\xbb\xbf"
HEADERS = [(f"ce_{name}", str(EVENT[name]).encode()) for name in ("specversion", "type", "source", "id", "subject")]


def check_item(item: Usage | Refusal) -> None:
    if isinstance(item, Refusal):
        assert item.reason in REASONS
        assert (item.field + item.account_id + item.usage_id).isprintable() or check_text(item.usage_id)
        assert item.message
        check_text(item.field + item.message)
        return
    assert item.call_type in CALL_TYPES
    check_account_id(item.account_id)
    assert 0 < len(item.usage_id) <= 200
    assert item.started_at >= 946_684_800_000_000
    assert 0 <= item.duration_seconds <= MAX_DURATION_SECONDS
    for price in (item.charge, item.connection_fee):
        assert price is None or 0 <= price < LIMIT
    for name in ("usage_id", "caller", "callee", "user_id", "user_name", "number_type", "conference_id", "call_id"):
        check_text(getattr(item, name)).encode()
    assert not item.currency or (item.currency.isalpha() and item.currency.isupper() and len(item.currency) == 3)
    if item.extra:
        assert isinstance(json.loads(item.extra), dict)


def check_message(data: bytes) -> None:
    """What is taken, read by another decoder, says the same and no key of it stands twice."""
    item = decode_message(data)
    check_item(item)
    if isinstance(item, Usage) and item.format == "usage":
        pairs = json.loads(data.decode("utf-8-sig"), object_pairs_hook=list)
        fields = dict(pairs)
        assert len(fields) == len(pairs)
        assert {name: fields.get(name) or "" for name in SAME} == {name: getattr(item, name) for name in SAME}
        assert set(fields) - set(MESSAGE) - {"user_name"} == set(json.loads(item.extra or "{}"))


def check_binary(data: bytes) -> None:
    check_item(decode_message(data, HEADERS))


def check_headers(data: bytes) -> None:
    place = len(data) % len(HEADERS)
    headers = [*HEADERS[:place], (HEADERS[place][0], data), *HEADERS[place + 1 :]]
    check_item(decode_message(message(), headers))


def check_graph(data: bytes) -> None:
    check_item(decode_record(data, "graph", "contoso"))


def check_row(data: bytes) -> None:
    check_item(decode_record(data, "pstn-csv", "contoso"))


def check_file(data: bytes) -> None:
    """Every record of a file comes out, and what was kept of it decodes to the same."""
    refused = None
    try:
        for _, line, item, raw in open_usage(io.BytesIO(data), name="f", account="contoso"):
            assert line > 0
            check_item(item)
            if isinstance(item, Usage):
                assert decode_record(raw, item.format, "contoso") == item
            else:
                assert item.raw in (raw, raw.removeprefix(BOM))
    except FileRefused as error:
        refused = error
    assert refused is None or (refused.code in FILE_CODES and refused.source == "f")


def zipped(data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("parameters.json", "{}")
        archive.writestr("PSTN.calls.csv", data)
    return stream.getvalue()


ODD = {"charge": 0.12, "connection_fee": "0.05", "user_name": 'Ana "Ž" Božič', "tenant": {"a": [1]}}
MESSAGES = [message(), message(**ODD), json.dumps(bent(MESSAGE, ODD), indent=1).encode()]
EVENTS = [event(), event(data=MESSAGE, traceparent="00-1"), json.dumps(EVENT, indent=2).encode()]
TABLE = csv_file([ROW, {**ROW, "UPN": "None"}, {**ROW, "Administrative Units": "a\nb"}, ROW])
PAGE = graph_page(GRAPH_ROW, {**GRAPH_ROW, "charge": "0.10"}, **{"@odata.nextLink": "x"})
FILES = [
    b"\n".join([*MESSAGES[:2], EVENTS[0]]),
    json.dumps([EVENT, EVENT]).encode(),
    json.dumps(GRAPH_ROW).encode() + b"\n" + json.dumps(GRAPH_ROW).encode(),
]
USAGE_TARGETS = [
    Target("message", MESSAGES, check_message, 30),
    Target("cloudevent", EVENTS, check_message, 20),
    Target("binary cloudevent", MESSAGES, check_binary, 5),
    Target("cloudevent header", [value for _, value in HEADERS], check_headers, 5),
    Target("graph row", [json.dumps(GRAPH_ROW).encode()], check_graph, 15),
    Target("csv row", [json.dumps(ROW).encode()], check_row, 10),
    Target("csv file", [TABLE], check_file, 6),
    Target("page", [PAGE, json.dumps(json.loads(PAGE), indent=2).encode()], check_file, 4),
    Target("file", FILES, check_file, 4),
    Target("zip", [zipped(TABLE)], check_file, 1),
]
