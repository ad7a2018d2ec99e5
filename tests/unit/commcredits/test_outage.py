"""A provider that cannot be asked is told of in few lines, however many accounts wait for it."""

from __future__ import annotations

import pytest

from application.claims import Claim
from commcredits.outage import FORGOTTEN_SECONDS, Outage
from commcredits.pauses import LONGEST_PAUSE_SECONDS, pause_seconds


class Told:
    """An outage whose clock the test moves, and what it has told."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.seconds = 0.0
        self._caplog, self._outage = caplog, Outage(lambda: self.seconds)

    def lines(self, waiting: list[str], answered: list[str] | None = None, after: float = 0) -> list[str]:
        """What is told when, so many seconds later, those have been tried."""
        self.seconds += after
        self._caplog.clear()
        for account in waiting:
            self._outage.waits(Claim(account, "recharges"), "429")
            self._outage.tell()
        for account in answered or ():
            self._outage.goes_on(Claim(account, "recharges"))
            self._outage.tell()
        self._outage.tell()
        return [record.getMessage() for record in self._caplog.records]


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Told:
    return Told(caplog)


MANY = [f"a{number:04d}" for number in range(1000)]


def test_a_thousand_accounts_are_one_line_then_one_a_minute_then_one(told: Told) -> None:
    assert told.lines(MANY) == ["the provider cannot be asked, 1 account waits (a0000): 429"]
    assert told.lines(MANY, after=59) == []
    assert told.lines(MANY, after=1) == [
        "the provider still cannot be asked, 1000 accounts wait (a0000, a0001, a0002 and 997 more): 429"
    ]
    assert told.lines([], MANY[:-1]) == []
    assert told.lines([], MANY[-1:]) == ["the provider answers again"]
    assert told.lines([], MANY, after=3600) == []


def test_one_that_comes_and_goes_is_told_of_once_a_minute(told: Told) -> None:
    found = [line for _ in range(240) for line in told.lines(["a"], ["a"], after=0.5)]

    assert found == ["the provider cannot be asked, 1 account waits (a): 429", "the provider answers again"] * 2


def test_an_account_that_another_worker_has_taken_is_not_waited_for(told: Told) -> None:
    told.lines(["a"])

    assert told.lines([], after=FORGOTTEN_SECONDS) == ["the provider answers again"]
    assert told.lines([]) == []


def test_pauses_grow_to_a_minute_and_stay_there_for_days() -> None:
    pauses = [pause_seconds(failures) for failures in (1, 2, 9, 10, 100_000)]

    assert pauses == [0.2, 0.4, 51.2, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]
