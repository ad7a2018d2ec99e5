"""Trouble is borne for so long, and no longer; whoever asks to stop does not wait for its end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from consumers.kafka.errors import Stopped
from consumers.kafka.patience import Patience


class GivenUp(Exception):
    """What this test's patience ends with."""


def failing(times: int) -> Callable[[], int]:
    left = [times]

    def action() -> int:
        left[0] -= 1
        if left[0] >= 0:
            raise OSError("away")
        return 7

    return action


def patience(seconds: int, stop: bool = False) -> Patience:
    return Patience(seconds, lambda: stop, lambda trouble: GivenUp(str(trouble)))


def test_an_action_is_tried_until_it_works() -> None:
    assert patience(60).ask(failing(2), OSError) == 7


def test_trouble_that_lasts_ends_by_giving_up() -> None:
    with pytest.raises(GivenUp, match="away"):
        patience(0).ask(failing(1), OSError)


def test_other_errors_are_no_trouble() -> None:
    with pytest.raises(OSError, match="away"):
        patience(60).ask(failing(1), ValueError)


def test_a_stop_is_heard() -> None:
    with pytest.raises(Stopped):
        patience(60, stop=True).ask(failing(1), OSError)


def test_trouble_that_is_over_does_not_count_later(caplog: pytest.LogCaptureFixture) -> None:
    bearer = patience(60)

    bearer.ask(failing(1), OSError)
    bearer.ask(failing(1), OSError)

    assert [entry.message for entry in caplog.records] == [
        "trouble, trying again for 60 s: OSError: away",
        "the trouble is over",
    ] * 2
