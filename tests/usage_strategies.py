"""Any usage there can be, and how each format writes it: for round trips."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from domain.usage import CALL_TYPES, FIELD_NAMES, MAX_DURATION_SECONDS, Usage

_TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=12)
_NO_NULL = _TEXT.filter(lambda text: text.casefold() not in ("none", "null"))
_PRICE = st.none() | st.decimals(0, 999_999_999_999, places=6, allow_nan=False, allow_infinity=False)


def usages(format: str) -> st.SearchStrategy[Usage]:  # noqa: A002 - the domain's word
    """Usages as `format` can say them: in rows the texts that stand for null say nothing."""
    text = _TEXT if format == "usage" else _NO_NULL
    return st.builds(
        Usage,
        usage_id=text.filter(bool),
        account_id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,9}", fullmatch=True),
        call_type=st.sampled_from(sorted(CALL_TYPES)),
        started_at=st.integers(946_684_800_000_000, 253_402_300_799_999_999),
        duration_seconds=st.integers(0, MAX_DURATION_SECONDS),
        caller=text,
        callee=text,
        user_id=text,
        user_name=text,
        number_type=text,
        capability=text,
        conference_id=text,
        call_id=text,
        charge=_PRICE,
        connection_fee=_PRICE,
        currency=st.sampled_from(["", "EUR", "USD", "JPY"]),
        format=st.just(format),
    )


def as_message(usage: Usage, names: dict[str, str] | None = None) -> dict[str, Any]:
    """A usage as a JSON object of strings and numbers, by the source's names."""
    fields = {name: getattr(usage, name) for name in usage.__struct_fields__ if name not in ("format", "extra")}
    fields["started_at"] = rfc3339(usage.started_at)
    for name in ("charge", "connection_fee"):
        price: Decimal | None = fields[name]
        fields[name] = None if price is None else format(price, "f")
    return {(names or {}).get(name, name): value for name, value in fields.items()}


def as_row(usage: Usage) -> dict[str, Any]:
    """A usage as a file's row; the file names the account."""
    return as_message(usage, FIELD_NAMES[usage.format] | {"account_id": "account_id"})


def as_event(usage: Usage) -> dict[str, Any]:
    """A usage as a CloudEvent."""
    data = as_message(usage)
    return {
        "specversion": "1.0",
        "type": "commcredits.usage.v1",
        "source": "test",
        "id": "1",
        "subject": data.pop("account_id"),
        "data": data,
    }


def as_csv(*usages_: Usage) -> bytes:
    """Usages as a PSTN usage CSV, null as an empty cell."""
    rows = [{name: "" if value is None else value for name, value in as_row(usage).items()} for usage in usages_]
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def with_numbers(record: dict[str, Any], *names: str) -> bytes:
    """A record as JSON in which the prices are JSON numbers, digit by digit."""
    raw = json.dumps({**record, **{name: f"@{name}@" for name in names if record[name] is not None}})
    for name in names:
        raw = raw.replace(f'"@{name}@"', str(record[name]))
    return raw.encode()


def rfc3339(at: int) -> str:
    """Microseconds since the epoch as text."""
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    return instant.isoformat(timespec="microseconds").replace("+00:00", "Z")
