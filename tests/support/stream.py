"""Made-up usage for Kafka, with duplicates, conflicts and rubbish in it, and beside it what must become of it.

The model is simple on purpose: each account has money, each usage id is charged once, by its first content. The same
seed gives the same stream.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, NamedTuple

from domain.rates import Rate
from tests.support.given import rate

FUNDS: Final = Decimal("1000.0000")
RATES: Final = {"44": ("0.12", 60), "386": ("0.0311", 6), "1": ("0.0107", 1)}  # per minute, increment
RUBBISH: Final = (
    "undecodable", "missing_field", "invalid_field", "unknown_account", "unknown_call_type", "no_rate",
    "currency_mismatch", "duplicate_key",
)  # fmt: skip
STARTED: Final = "2026-10-0{}T10:{:02}:{:02}Z"


class Message(NamedTuple):
    """What is published. `conference`: to the other topic."""

    conference: bool
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Stream:
    """Messages to come, and the books of those that came."""

    def __init__(self, accounts: int = 20, seed: int = 0) -> None:
        self.accounts = [f"account-{place}" for place in range(accounts)]
        self.charges: dict[str, dict[str, Decimal]] = {name: {} for name in self.accounts}
        self.dead: Counter[str] = Counter()  # by reason; conflicts too
        self.duplicates = self.miskeyed = self.sent = 0
        self._random = random.Random(seed)
        self._seed = seed
        self._recent: list[tuple[dict[str, Any], bool]] = []

    @staticmethod
    def deck() -> list[Rate]:
        """The rates that the model goes by."""
        return [rate(prefix, price, increment) for prefix, (price, increment) in RATES.items()]

    def balance(self, account: str) -> Decimal:
        """What is left."""
        return FUNDS - sum(self.charges[account].values(), Decimal(0))

    @property
    def accepted(self) -> int:
        """Usage that becomes an event."""
        return sum(map(len, self.charges.values()))

    @property
    def tally(self) -> dict[str, int]:
        """As `consume --once` tells it, when nothing was consumed before."""
        conflicts = self.dead["conflict"]
        dead = self.dead.total() - conflicts
        read = {"read": self.sent, "accepted": self.accepted, "duplicates": self.duplicates}
        return read | {"conflicts": conflicts, "dead": dead}

    def messages(self, count: int, rubbish: bool = True) -> Iterator[Message]:
        """The next so many; `rubbish`: with duplicates, conflicts and what cannot be taken among them."""
        for _ in range(count):
            self.sent += 1
            dice = self._random.randrange(100) if rubbish else 99
            if dice < 3 and self._recent:
                yield self._duplicate()
            elif dice < 4 and self._recent:
                yield self._conflict()
            elif dice < 7:
                yield self._rubbish(self._random.choice(RUBBISH))
            else:
                yield self._usage(miskeyed=dice < 9)

    def _usage(self, miskeyed: bool) -> Message:
        fields = self._fields()
        account, conference = fields["account_id"], fields["call_type"].startswith("conf")
        self.charges[account][fields["usage_id"]] = _charge(fields)
        if miskeyed:
            self.miskeyed += 1
            return self._message(
                fields, conference, self._random.choice([None, b"", b"another", account.encode() + b"-"])
            )
        self._recent = [*self._recent[-200:], (fields, conference)]
        return self._message(fields, conference)

    def _fields(self) -> dict[str, Any]:
        dice = self._random
        callee = dice.choice(list(RATES)) + "".join(dice.choices("0123456789", k=8))
        return {
            "usage_id": f"usage-{self._seed}-{self.sent}",
            "account_id": dice.choice(self.accounts),
            "user_id": f"user-{dice.randrange(5)}@example.com",
            "call_type": dice.choice(["user_out"] * 6 + ["ucap_out", "conf_out", "conf_out", "user_in", "conf_in"]),
            "caller": "+38612345678",
            "callee": f"+{callee}",
            "started_at": STARTED.format(dice.randrange(1, 10), dice.randrange(60), dice.randrange(60)),
            "duration_seconds": dice.choice([0, 1, 59, 60, 61, dice.randrange(4000)]),
            "capability": "FREECALL" if dice.random() < 0.02 else None,
        }

    def _duplicate(self) -> Message:
        """The same call, written otherwise."""
        fields, conference = self._random.choice(self._recent)
        self.duplicates += 1
        shuffled = dict(self._random.sample(list(fields.items()), len(fields)))
        return self._message(shuffled | {"user_name": "Ana", "note": "sent again"}, conference)

    def _conflict(self) -> Message:
        """The same id, another call."""
        fields, conference = self._random.choice(self._recent)
        self.dead["conflict"] += 1
        return self._message(fields | {"duration_seconds": fields["duration_seconds"] + 7}, conference)

    def _rubbish(self, reason: str) -> Message:
        fields, key = self._fields(), b""
        self.dead[reason] += 1
        fields |= {"call_type": "user_out", "capability": None}  # one that needs a rate
        if reason == "undecodable":
            value = self._random.choice(
                [None, b"", b"\xff\x00", b"[1, 2]", self._random.randbytes(50), b'{"usage_id":']
            )
            return Message(self._random.random() < 0.3, fields["account_id"].encode(), value, [])
        if reason == "duplicate_key":
            doubled = json.dumps(fields)[:-1] + ', "callee": "+44"}'
            return Message(False, fields["account_id"].encode(), doubled.encode(), [])
        wrong: dict[str, dict[str, Any]] = {
            "missing_field": {"started_at": None},
            "invalid_field": {"duration_seconds": -1},
            "unknown_account": {"account_id": "nobody"},
            "unknown_call_type": {"call_type": "user_sideways"},
            "no_rate": {"callee": "+999123"},
            "currency_mismatch": {"currency": "USD"},
        }
        key = fields["account_id"].encode() if reason != "unknown_account" else b"nobody"
        return self._message(fields | wrong[reason], False, key)

    def _message(self, fields: dict[str, Any], conference: bool, key: bytes | None = b"account") -> Message:
        if key == b"account":
            key = fields["account_id"].encode()
        if self._random.random() < 0.05:
            return Message(conference, key, *_cloud_event(fields, self._random.random() < 0.5))
        return Message(conference, key, json.dumps(fields).encode(), [])


def _cloud_event(fields: dict[str, Any], binary: bool) -> tuple[bytes, list[tuple[str, bytes]]]:
    attributes = {
        "specversion": "1.0", "type": "commcredits.usage.v1", "source": "/pbx/7", "id": "event-1",
        "subject": str(fields["account_id"]), "datacontenttype": "application/json",
    }  # fmt: skip
    if not binary:
        return json.dumps(attributes | {"data": fields}).encode(), []
    headers = [(f"ce_{name}", text.encode()) for name, text in attributes.items() if name != "datacontenttype"]
    return json.dumps(fields).encode(), [*headers, ("content-type", b"application/json")]


def _charge(fields: dict[str, Any]) -> Decimal:
    """Begun increments at the price of a minute, rounded once."""
    if "out" not in fields["call_type"] or fields["capability"] == "FREECALL":
        return Decimal(0)
    callee = fields["callee"].removeprefix("+")
    [(price, increment)] = [terms for prefix, terms in RATES.items() if callee.startswith(prefix)]
    seconds = -(-fields["duration_seconds"] // increment) * increment
    price_exact: Decimal = Decimal(price) * seconds / 60
    return price_exact.quantize(Decimal("0.0001"), ROUND_HALF_UP)
