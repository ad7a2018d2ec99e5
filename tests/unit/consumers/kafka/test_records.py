"""Kafka's records become incoming usage with its place, and keys that are no account's are counted."""

from __future__ import annotations

import json
from typing import Any

from kafka import TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from consumers.kafka.records import decode_records
from domain.usage import Refusal, Usage

IDS = {"calls": "id-of-calls"}


def record(offset: int, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]] | None = None) -> Any:
    return ConsumerRecord("calls", 2, 0, offset, 0, 0, key, value, headers or [], None, 0, 0, 0)


def call(**more: Any) -> bytes:
    fields = {"usage_id": "u-1", "account_id": "contoso", "call_type": "user_out", "callee": "+44"}
    return json.dumps({**fields, "started_at": "2026-10-01T00:00:00Z", "duration_seconds": 1, **more}).encode()


def test_a_record_keeps_its_place_its_bytes_and_its_topics_id() -> None:
    [item], _ = decode_records({TopicPartition("calls", 2): [record(7, b"contoso", call())]}, IDS)

    assert isinstance(item.record, Usage)
    assert item.source == ("kafka", "calls", 2, 7)
    assert (item.raw, item.topic_id) == (call(), "id-of-calls")


def test_keys_that_are_not_the_accounts_are_counted_by_partition() -> None:
    keys = [b"contoso", b"Contoso", None, b"", b"contoso-2"]
    records = [record(offset, key, call()) for offset, key in enumerate(keys)]

    _, miskeyed = decode_records({TopicPartition("calls", 2): records}, IDS)

    assert miskeyed == {("calls", 2): 4}


def test_what_names_no_account_has_no_wrong_key() -> None:
    records = [record(0, b"x", b"rubbish"), record(1, b"x", None), record(2, b"x", call(account_id=None))]

    incoming, miskeyed = decode_records({TopicPartition("calls", 2): records}, IDS)

    assert [item.record.reason for item in incoming if isinstance(item.record, Refusal)] == [
        "undecodable",
        "undecodable",
        "missing_field",
    ]
    assert [item.raw for item in incoming] == [b"rubbish", b"", call(account_id=None)]
    assert miskeyed == {("calls", 2): 0}


def test_a_binary_event_is_kept_whole() -> None:
    attributes = {
        "specversion": "1.0",
        "type": "commcredits.usage.v1",
        "source": "/pbx",
        "id": "1",
        "subject": "contoso",
    }
    headers = [(f"ce_{name}", text.encode()) for name, text in attributes.items()]

    [item], miskeyed = decode_records({TopicPartition("calls", 2): [record(0, b"contoso", call(), headers)]}, IDS)

    assert json.loads(item.raw)["subject"] == "contoso"
    assert json.loads(item.raw)["data"]["usage_id"] == "u-1"
    assert miskeyed == {("calls", 2): 0}
