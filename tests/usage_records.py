"""Usage records as telephony systems write them, for tests to bend."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from consumers.decode import decode_message
from domain.usage import Refusal, Usage

SAMPLES = Path(__file__).parent / "samples" / "usage"
ABSENT = object()

MESSAGE: dict[str, Any] = {
    "usage_id": "6c3f0a52",
    "account_id": "contoso",
    "user_id": "ana@contoso.com",
    "call_type": "user_out",
    "caller": "+38612345678",
    "callee": "+442071234567",
    "number_type": "subscriber",
    "started_at": "2026-11-22T10:00:00Z",
    "duration_seconds": 125,
    "capability": "MCOPSTN1",
    "conference_id": None,
    "call_id": "0a1b2c",
    "charge": None,
    "connection_fee": None,
    "currency": "EUR",
}
STARTED_AT = 1_795_341_600_000_000  # MESSAGE's start

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "type": "commcredits.usage.v1",
    "source": "/sbc/7",
    "id": "A1",
    "subject": "contoso",
    "time": "2026-11-22T10:02:05Z",
    "datacontenttype": "application/json",
    "data": {key: value for key, value in MESSAGE.items() if key not in ("usage_id", "account_id")},
}

ROW: dict[str, str] = {
    "UsageId": "9c4984c7-6c3c-427d-a30c-bd0b2eacee90",
    "Call ID": "1835317186_112562680@61.221.3.176",
    "Conference ID": "",
    "User Location": "US",
    "Microsoft Entra ObjectId": "db03c14b-06eb-4189-939b-7cbf3a20ba27",
    "UPN": "richard.malk@contoso.com",
    "User Display Name": "Malk, Richard",
    "Caller ID": "+0123456789",
    "Call Type": "user_out",
    "Call Direction": "Outbound",
    "Number Type": "Subscriber",
    "Domestic/International": "International",
    "Destination Dialed": "United Kingdom",
    "Destination Number": "+442071234567",
    "External Country": "GB",
    "Start Time": "2019-11-01T00:00:08.2589935Z",
    "End Time": "2019-11-01T00:03:47.2589935Z",
    "Duration Seconds": "219",
    "Connection Fee": "0.00",
    "Charge": "0.13",
    "Currency": "USD",
    "Capability": "MCOPSTN1",
    "Operator": "Microsoft",
    "Source of Call Duration": "microsoft",
    "Administrative Units": "",
}
NEWER_COLUMNS = ("Call Direction", "External Country", "Operator", "Source of Call Duration", "Administrative Units")

GRAPH_ROW: dict[str, Any] = json.loads((SAMPLES / "graph_v1_getPstnCalls_response.json").read_text())["value"][0]


def bent(record: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A record with other values; ABSENT takes a field away."""
    return {key: value for key, value in {**record, **changes}.items() if value is not ABSENT}


def message(**changes: Any) -> bytes:
    """MESSAGE as JSON, changed."""
    return json.dumps(bent(MESSAGE, changes), ensure_ascii=False).encode()


def raw_message(field: str, text: str) -> bytes:
    """MESSAGE as JSON with a field written exactly so."""
    return message(**{field: "@@"}).replace(b'"@@"', text.encode())


def event(**changes: Any) -> bytes:
    """EVENT as JSON, changed."""
    return json.dumps(bent(EVENT, changes)).encode()


def taken(raw: bytes | None, **options: Any) -> Usage:
    """The usage of a message that must be taken."""
    item = decode_message(raw, **options)
    assert isinstance(item, Usage), item
    return item


def refused(raw: bytes | None, **options: Any) -> tuple[str, str]:
    """Reason and field of a message that must be refused."""
    item = decode_message(raw, **options)
    assert isinstance(item, Refusal), item
    return item.reason, item.field


def csv_file(rows: Iterable[Mapping[str, str]], columns: Iterable[str] = ROW) -> bytes:
    """A PSTN usage CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def graph_page(*rows: object, **more: Any) -> bytes:
    """A page of Graph's call log."""
    return json.dumps({"@odata.context": "https://graph/$metadata#x", **more, "value": list(rows)}).encode()


def fields_of(usage: Usage) -> dict[str, Any]:
    """A usage's fields by name."""
    return {name: getattr(usage, name) for name in usage.__struct_fields__}
