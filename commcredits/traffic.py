"""Realistic usage traffic: the same for the same seed and start, in the order of its start.

Figures: call durations follow a log-logistic law, 60% end within 90 s, 174 s on average; half a call per user in the
busy hour, which holds an eighth of the day; mornings from ten, a dip at lunch, afternoons at 80%, little after six.
"""

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Final, NamedTuple

HOUR_SECONDS: Final = 3600
# Share of the day's calls in each of its hours
DAY: Final = (
    0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.5, 1.5, 5.0, 9.0, 12.0, 12.0,
    6.0, 8.0, 9.6, 9.6, 9.0, 7.0, 3.0, 2.0, 1.5, 1.0, 0.5, 0.2,
)  # fmt: skip
CALLS_A_USER_AND_DAY: Final = 0.5 / (max(DAY) / sum(DAY))

_SHAPE: Final = 1.35
_SCALE_SECONDS: Final = 90 / 1.5 ** (1 / _SHAPE)  # so that 60% end within 90 s
_LONGEST_SECONDS: Final = 4 * HOUR_SECONDS
_TOP: Final = 1 / (1 + (_LONGEST_SECONDS / _SCALE_SECONDS) ** -_SHAPE)
_MOST_DAYS: Final = 365
_NOT_CONNECTED: Final = 0.02  # calls of 0 seconds
_MOBILE: Final = 0.4
_DOMESTIC: Final = 0.8


class Country(NamedTuple):
    """Heads of numbers, their length, and how many of all international calls go there."""

    fixed: str
    mobile: str
    toll_free: str
    digits: int
    weight: int


class Kind(NamedTuple):
    """A call type with what goes with it, and its share of the traffic in a thousand."""

    call_type: str
    number_type: str
    capability: str
    share: int


COUNTRIES: Final = (
    Country("1212", "1917", "1800", 11, 22),
    Country("4420", "447700", "44800", 12, 18),
    Country("4930", "49151", "49800", 12, 14),
    Country("331", "336", "33805", 11, 10),
    Country("3906", "39331", "39800", 12, 6),
    Country("3861", "38640", "38680", 11, 4),
    Country("9122", "9198", "911800", 12, 12),
    Country("612", "614", "611800", 11, 5),
    Country("2341", "234803", "234800", 13, 2),
    Country("537", "535", "53800", 10, 1),  # Cuba: dear
)
HOMES: Final = COUNTRIES[:6]
_ABROAD: Final = [country for country in COUNTRIES for _ in range(country.weight)]
KINDS: Final = (
    Kind("user_out", "Subscriber", "MCOPSTN1", 330),
    Kind("user_out", "Subscriber", "MCOPSTN2", 100),
    Kind("user_out", "Subscriber", "MCOPSTN_PAYG_1", 30),
    Kind("user_in", "Subscriber", "MCOPSTN1", 250),
    Kind("conf_in", "Service", "MCOMEETADD", 80),
    Kind("conf_in", "Toll-Free", "MCOPSTNPP", 40),
    Kind("conf_in", "Service", "MCOMEETACPEA", 5),
    Kind("conf_out", "Subscriber", "MCOMEETADD", 50),
    Kind("ucap_in", "Service", "MCOEV_VIRTUALUSER", 30),
    Kind("ucap_in", "Toll-Free", "MCOPSTNPP", 25),
    Kind("user_out_forwarding", "Subscriber", "MCOPSTN1", 20),
    Kind("user_out_transfer", "Subscriber", "MCOPSTN1", 12),
    Kind("user_out_conf", "Subscriber", "MCOPSTN1", 10),
    Kind("ucap_out", "Service", "MCOPSTNPP", 10),
    Kind("unassigned_in", "Service", "", 4),
    Kind("user_out", "Subscriber", "FREECALL", 2),
    Kind("emergency_out", "Subscriber", "MCOPSTN1", 2),
)


class Organisation(NamedTuple):
    """An account's people and the beginnings of its own numbers, three digits short."""

    name: str
    users: int
    home: Country
    fixed: str
    toll_free: str


class Message(NamedTuple):
    """A usage message on its way to its topic."""

    account_id: str
    is_conference: bool
    value: bytes


def account_ids(accounts: int) -> list[str]:
    """The accounts of a simulation: sim-1, sim-2, …"""
    return [f"sim-{number}" for number in range(1, accounts + 1)]


def users_of(number: int) -> int:
    """How many users account `number` has: many small ones, some of them large."""
    return 5 + 3 * (number % 7) + (400 if number % 50 == 0 else 0)


def days_of(accounts: int, usages: int) -> int:
    """How many days so many usages take: at most a year, denser then."""
    users = sum(users_of(number) for number in range(1, accounts + 1))
    return min(max(1, round(usages / (users * CALLS_A_USER_AND_DAY))), _MOST_DAYS)


def generate(accounts: int, usages: int, seed: int, start: datetime, currency: str | None = None) -> Iterator[Message]:
    """`usages` messages of `accounts` accounts, from the midnight `start` on, for as many days as they take."""
    chance = random.Random(f"{seed} {start.isoformat()}")
    organisations = [_organisation(name, number) for number, name in enumerate(account_ids(accounts), 1)]
    weights = list(accumulate(organisation.users for organisation in organisations))
    shares = list(accumulate(kind.share for kind in KINDS))
    money = "null" if currency is None else f'"{currency}"'
    for clock, count in _hours(usages, days_of(accounts, usages), start):
        chosen = chance.choices(organisations, cum_weights=weights, k=count)
        kinds = chance.choices(KINDS, cum_weights=shares, k=count)
        for place, (organisation, kind) in enumerate(zip(chosen, kinds, strict=True)):
            second = int((place + chance.random()) / count * HOUR_SECONDS)
            started_at = f"{clock}:{second // 60:02d}:{second % 60:02d}Z"
            yield _message(chance, organisation, kind, started_at, money)


def _organisation(name: str, number: int) -> Organisation:
    home = HOMES[number % len(HOMES)]
    fixed, toll_free = (
        head + f"{number:012d}"[len(head) + 15 - home.digits :] for head in (home.fixed, home.toll_free)
    )
    return Organisation(name, users_of(number), home, fixed, toll_free)


def _hours(usages: int, days: int, start: datetime) -> Iterator[tuple[str, int]]:
    """Each hour as text up to its hour, and how many usages start in it; as many in all as are asked for."""
    done, total, passed = 0, sum(DAY) * days, 0.0
    for day in range(days):
        for hour, share in enumerate(DAY):
            passed += share
            due = round(usages * passed / total)
            clock = (start + timedelta(days=day, hours=hour)).astimezone(UTC).strftime("%Y-%m-%dT%H")
            yield clock, due - done
            done = due


def _message(chance: random.Random, organisation: Organisation, kind: Kind, started_at: str, money: str) -> Message:
    call_type, account = kind.call_type, organisation.name
    user = int(chance.random() * organisation.users)
    head = organisation.toll_free if kind.number_type == "Toll-Free" else organisation.fixed
    own = f"+{head}{user:03d}"
    other = "112" if call_type == "emergency_out" else _number(chance, organisation.home)
    caller, callee = (other, own) if call_type.endswith("_in") else (own, other)
    is_bot = call_type.startswith(("ucap", "unassigned"))
    user_id = "null" if is_bot else f'"user{user}@{account}.example"'
    is_conference = call_type.startswith("conf_")
    # a few conferences at a time: their legs share an id
    conference_id = f'"{account}-{started_at[:13]}-{user % 3}"' if is_conference else "null"
    value = (
        f'{{"usage_id":"{chance.getrandbits(128):032x}","account_id":"{account}","user_id":{user_id},'
        f'"call_type":"{call_type}","caller":"{caller}","callee":"{callee}","number_type":"{kind.number_type}",'
        f'"started_at":"{started_at}","duration_seconds":{_duration(chance)},"capability":"{kind.capability}",'
        f'"conference_id":{conference_id},"call_id":"{chance.getrandbits(64):016x}","charge":null,'
        f'"connection_fee":null,"currency":{money}}}'
    )
    return Message(account, is_conference, value.encode())


def _number(chance: random.Random, home: Country) -> str:
    """The other party's number: mostly at home, else where people call."""
    country = home if chance.random() < _DOMESTIC else _ABROAD[int(chance.random() * len(_ABROAD))]
    head = country.mobile if chance.random() < _MOBILE else country.fixed
    return f"+{head}{int(chance.random() * 10**12):012d}"[: country.digits + 1]


def _duration(chance: random.Random) -> int:
    """Seconds of a call: the inverse of the log-logistic law, cut at four hours."""
    part = chance.random()
    if part < _NOT_CONNECTED:
        return 0
    part = _TOP * (part - _NOT_CONNECTED) / (1 - _NOT_CONNECTED)
    return round(_SCALE_SECONDS * math.pow(part / (1 - part), 1 / _SHAPE))
