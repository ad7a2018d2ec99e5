"""What every event is: its header, its streams, and the error for one that is not known."""

import uuid
from typing import ClassVar, Final

import msgspec

LOG: Final = "main"
_NAMESPACE: Final = uuid.UUID("0b7e6c1c-55f0-5d1c-9c7e-6d1f4a3b9e02")


class UnknownEvent(Exception):
    """A stored event whose topic or schema this program does not know, or whose state does not decode."""

    def __init__(self, topic: str, detail: str) -> None:
        super().__init__(f"event {topic}: {detail}")
        self.topic, self.detail = topic, detail


def account_stream(account_id: str) -> uuid.UUID:
    """The originator id of an account's stream."""
    return uuid.uuid5(_NAMESPACE, "account:" + account_id)


def deck_stream(deck: str) -> uuid.UUID:
    """The originator id of a rate deck's stream."""
    return uuid.uuid5(_NAMESPACE, "deck:" + deck)


def log_stream() -> uuid.UUID:
    """The originator id of what concerns the log itself (accepted gaps)."""
    return uuid.uuid5(_NAMESPACE, "log:" + LOG)


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The header every event carries, from the first one on."""

    VERSION: ClassVar[int] = 1
    APPENDED: ClassVar[dict[int, bytes]] = {}  # by an older schema: the JSON of the defaults that came since

    schema: int
    occurred_at: int  # of a usage its start + duration; of funds the purchase; else the command's time
    recorded_at: int  # the later of the time handed in and the account's last
    actor: str  # who: the operator's name, or the system that published the usage
    channel: str  # through which door: kafka, file, stdin, http, cli, engine
    reason: str  # may be empty
    causation_id: str  # what caused it: of a usage its id, of a trigger `account@version` of the event before it

    def grown(self) -> int:
        """How many bytes longer an event of an older schema is, written with the fields that came since."""
        return len(self.APPENDED[self.schema])


class PoolDraw(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Whole minutes that one pool paid. `user` is a pseudonym where the pool is a user's own, else empty."""

    plan: str
    kind: str  # domestic, international, dialout
    country: str
    user: str
    month: int  # year * 100 + month, in the account's zone of that month
    minutes: int
