"""Usage files held in memory: what is taken from them and what is refused."""

from __future__ import annotations

import io
from typing import Any

import pytest

from consumers.decode import decode_record
from consumers.files import Record, open_usage
from consumers.refusals import FileRefused
from domain.usage import Refusal, Usage


def records(data: bytes, **options: Any) -> list[Record]:
    return list(open_usage(io.BytesIO(data), name="f", **options))


def usages(data: bytes, **options: Any) -> list[Usage]:
    """The usages of a file in which all must be taken; each is kept so that it decodes again."""
    found = []
    for _, _, item, raw in records(data, **options):
        assert isinstance(item, Usage), item
        assert decode_record(raw, item.format, options.get("account", "")) == item
        found.append(item)
    return found


def problems(data: bytes, **options: Any) -> list[tuple[int, str, str]]:
    return [
        (line, item.reason, item.field) for _, line, item, _ in records(data, **options) if isinstance(item, Refusal)
    ]


def whole_refusal(data: bytes, **options: Any) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        records(data, **options)
    return caught.value
