"""What a format writes of a usage is read back as the same usage."""

from __future__ import annotations

import io
import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from consumers.decode import decode_message, decode_record
from consumers.files import open_usage
from domain.usage import Refusal, Usage
from tests.usage_strategies import as_csv, as_event, as_message, as_row, usages, with_numbers

BYTES = st.binary(max_size=100) | st.text(max_size=60).map(str.encode)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(usages("usage"), st.booleans(), st.sampled_from([None, 1]))
def test_a_message(usage: Usage, ascii_only: bool, indent: int | None) -> None:
    raw = json.dumps(as_message(usage), ensure_ascii=ascii_only, indent=indent).encode()
    assert decode_message(raw) == usage


@given(usages("usage"))
def test_a_message_whose_prices_are_json_numbers(usage: Usage) -> None:
    assert decode_message(with_numbers(as_message(usage), "charge", "connection_fee")) == usage


@given(usages("usage"))
def test_an_event(usage: Usage) -> None:
    item = decode_message(json.dumps(as_event(usage)).encode())
    assert isinstance(item, Usage)
    assert msgspec.structs.replace(item, format="usage", extra=b"") == usage


@given(usages("graph"))
def test_a_graph_row(usage: Usage) -> None:
    raw = with_numbers(as_row(usage), "charge", "connectionCharge")
    assert decode_record(raw, "graph", usage.account_id) == usage


@given(st.lists(usages("pstn-csv"), min_size=1, max_size=3), st.booleans())
def test_a_csv(written: list[Usage], has_mark: bool) -> None:
    written = [msgspec.structs.replace(usage, account_id="contoso") for usage in written]
    data = (b"\xef\xbb\xbf" if has_mark else b"") + as_csv(*written)
    read = [item for _, _, item, _ in open_usage(io.BytesIO(data), name="f", account="contoso")]
    assert read == written


@given(usages("usage"), st.dictionaries(st.text(max_size=8).map("x-{}".format), JSON, max_size=3))
def test_unknown_fields_are_kept(usage: Usage, more: dict[str, object]) -> None:
    item = decode_message(json.dumps({**as_message(usage), **more}).encode())
    assert isinstance(item, Usage)
    assert json.loads(item.extra or "{}") == more


@given(BYTES | JSON.map(lambda value: json.dumps(value).encode()), st.sampled_from(["usage", "graph", "pstn-csv"]))
def test_any_bytes_are_refused_with_a_reason(raw: bytes, kind: str) -> None:
    item = decode_record(raw, kind, "contoso")
    assert isinstance(item, Refusal)
    assert (item.reason, item.raw) == ("undecodable", raw) or item.field


@given(st.dictionaries(st.sampled_from(sorted(as_message(Usage("u", "a", "user_in", 0, 0)))), JSON))
def test_any_json_types_are_taken_or_refused(record: dict[str, object]) -> None:
    item = decode_message(json.dumps(record).encode())
    assert isinstance(item, Refusal)
    assert item.reason in ("missing_field", "invalid_field", "unknown_call_type")
    assert item.field in as_message(Usage("u", "a", "user_in", 0, 0))
