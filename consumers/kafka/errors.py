"""Why a consumer stops by itself: each error has a stable code, and says what to do (exit 4 on the command line)."""

from collections.abc import Mapping
from typing import Any, ClassVar


class ConsumerError(Exception):
    """`source` is where it happened: kind, topic, partition, offset; None where it is about the whole."""

    code: ClassVar[str]

    def __init__(self, message: str, source: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message, self.source = message, source


class BrokerUnavailable(ConsumerError):
    """No broker has answered for longer than the patience lasts."""

    code = "broker_unavailable"


class BrokerRefused(ConsumerError):
    """The broker answers, and says no: credentials, rights, versions."""

    code = "broker_refused"


class TopicMissing(ConsumerError):
    """A topic is not there."""

    code = "topic_missing"


class PartitionsDiffer(ConsumerError):
    """The two topics have unequal numbers of partitions."""

    code = "partitions_differ"


class TopicRecreated(ConsumerError):
    """A topic was deleted and made anew: the stored position belongs to the one that is gone."""

    code = "topic_recreated"


class PositionOutOfRange(ConsumerError):
    """The log no longer has (or does not have yet) what comes at the stored position."""

    code = "position_out_of_range"


class RecordUnreadable(ConsumerError):
    """A batch is on the topic whose bytes are no records, or are compressed in a way that is not known here."""

    code = "record_unreadable"


def one_line(error: Exception) -> str:
    """An error's name and text; kafka-python's texts often begin with the name."""
    name, text = type(error).__name__, " ".join(str(error).split())
    return text if name in text else f"{name}: {text}".rstrip(": ")


class Stopped(Exception):
    """Asked to stop while waiting for a broker or a store that does not answer."""


class Misplaced(Exception):
    """What was read, or is to be read, does not fit the stored positions: look at the topics anew."""
