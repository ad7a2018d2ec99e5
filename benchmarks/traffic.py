"""What the benchmarks run on: accounts with lots, licences and auto-recharge, a deck, and the usage of their users.

The same seed gives the same world and the same traffic, but for the time: usage is that of the hour before.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import accumulate
from typing import Final, NamedTuple

from domain.country_prefixes import COUNTRY_PREFIXES
from domain.rates import OUT, Rate, Slot, Terms

CURRENCY: Final = "EUR"
COUNTRIES: Final = ("US", "GB", "DE", "SI", "FR", "AT", "IT", "IE")
HOME_CODES: Final = ("1212", "4420", "4930", "3861", "331", "431", "3906", "3531")
USERS: Final = 5
CALLS: Final = "call-usage"
CONFERENCES: Final = "conference-usage"
DUPLICATES_EACH: Final = 1_000  # one usage in so many comes twice
REPEATED_WITHIN: Final = 20_000  # usages between a usage and its duplicate, at most
MAX_DIGITS: Final = 12

# call type, capability, number type, share of the traffic
MIX: Final = (
    ("user_out", "MCOPSTN1", "Subscriber", 58),
    ("user_out_transfer", "MCOPSTN2", "Subscriber", 5),
    ("ucap_out", "MCOPSTNPP", "Subscriber", 4),
    ("conf_out", "MCOMEETADD", "Subscriber", 12),
    ("conf_in", "MCOMEETADD", "Service Toll", 5),
    ("user_in", "MCOPSTN1", "Subscriber", 12),
    ("user_in", "MCOPSTNPP", "Toll-Free", 3),
    ("emergency_out", "MCOPSTN1", "Subscriber", 1),
)


class Message(NamedTuple):
    """A usage message as it is published."""

    topic: str
    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`accounts` of `USERS` users each, and a deck of `prefixes`."""

    accounts: int = 10_000
    prefixes: int = 20_000
    seed: int = 7

    def account_ids(self) -> list[str]:
        """All accounts."""
        return [f"acct-{number:05d}" for number in range(self.accounts)]

    def rates(self) -> list[Rate]:
        """The deck: every country, ever longer prefixes, some hundred different terms."""
        chance = random.Random(self.seed)
        terms = [_terms(chance) for _ in range(300)]
        prefixes = {prefix for line in COUNTRY_PREFIXES.split("\n") for prefix in line[3:].split()}
        heads = sorted(prefixes)
        while len(prefixes) < self.prefixes:
            prefixes.add(chance.choice(heads) + str(chance.randrange(10, 10_000)))
        kept = sorted(prefixes)[: self.prefixes]
        return [Rate(prefix, None, OUT, f"zone {prefix}", None, None, chance.choice(terms)) for prefix in kept]

    def messages(self, count: int, accounts: Sequence[str] = (), salt: str = "") -> Iterator[Message]:
        """`count` messages, one in a thousand of them a duplicate. `salt` tells usage ids of two calls apart."""
        chance = random.Random(f"{self.seed} {salt}")
        names = accounts or self.account_ids()
        prefixes = [rate.prefix for rate in self.rates()]
        weights = list(accumulate(share for *_, share in MIX))
        hour = _hour()
        waiting: dict[int, Message] = {}  # duplicates, by the place where they come again
        for place in range(count):
            again = waiting.pop(place, None)
            if again is not None:
                yield again
                continue
            name = chance.choice(names)
            kind = chance.choices(MIX, cum_weights=weights)[0]
            message = _message(chance, name, kind, prefixes, hour)
            if place % DUPLICATES_EACH == 0 and place + 2 < count:
                within = min(REPEATED_WITHIN, count - 2 - place)
                waiting[place + 1 + chance.randrange(within)] = message
            yield message


def _message(
    chance: random.Random, account: str, kind: tuple[str, str, str, int], prefixes: Sequence[str], hour: str
) -> Message:
    call_type, capability, number_type, _ = kind
    number = int(account[5:])
    home = HOME_CODES[number % len(COUNTRIES)]
    user = chance.randrange(USERS)
    head = home if chance.random() < 0.55 else chance.choice(prefixes)
    callee = f"{head}{chance.randrange(10**7, 10**8)}"[:MAX_DIGITS]
    second = chance.randrange(3600)
    seconds = int(chance.expovariate(1 / 180))
    conference = call_type.startswith("conf")
    conference_id = f'"{chance.getrandbits(64):016x}"' if conference else "null"
    value = (
        f'{{"usage_id":"{chance.getrandbits(128):032x}","account_id":"{account}",'
        f'"user_id":"user{user}@{account}.example.com","call_type":"{call_type}",'
        f'"caller":"+{home}5550{user}{number % 1000:03d}","callee":"+{callee}","number_type":"{number_type}",'
        f'"started_at":"{hour}:{second // 60:02d}:{second % 60:02d}Z","duration_seconds":{seconds},'
        f'"capability":"{capability}","conference_id":{conference_id},"call_id":"{chance.getrandbits(128):032x}",'
        f'"charge":null,"connection_fee":null,"currency":"{CURRENCY}"}}'
    )
    return Message(CONFERENCES if conference else CALLS, account.encode(), value.encode())


def _hour() -> str:
    """The hour before this one, so that no usage starts in the future."""
    now = datetime.now(UTC).timestamp()
    return datetime.fromtimestamp(now - 3600, UTC).strftime("%Y-%m-%dT%H")


def _terms(chance: random.Random) -> Terms:
    fee = Decimal("0.05") if chance.random() < 0.1 else Decimal(0)
    price = Decimal(chance.randrange(40, 4_000)).scaleb(-4)
    first, step = chance.choice(((60, 60), (60, 60), (30, 6), (6, 6), (1, 1), (60, 1)))
    slots = [Slot(0, price, first)]
    if step != first:
        slots.append(Slot(first, price, step))
    return Terms(fee, slots)
