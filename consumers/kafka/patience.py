"""How long a broker or a store that does not answer is waited for: tries again, ever more slowly, then gives up."""

import logging
import time
from collections.abc import Callable
from typing import Final, TypeVar

from consumers.kafka.errors import Stopped, one_line

T = TypeVar("T")

FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 1.0
_log = logging.getLogger("commcredits.consumer")


class Patience:
    """`seconds`: how long trouble may last. `give_up` makes the error that ends it, from the last one."""

    def __init__(self, seconds: int, stop: Callable[[], bool], give_up: Callable[[Exception], Exception]) -> None:
        self._seconds, self._stop, self._give_up = seconds, stop, give_up
        self._until: float | None = None
        self._pause = FIRST_PAUSE_SECONDS

    def ask(self, action: Callable[[], T], *troubles: type[Exception]) -> T:
        """The action's answer, tried again while it raises one of `troubles`. Raises Stopped, or `give_up`'s error."""
        while True:
            try:
                answer = action()
            except troubles as trouble:
                self.bear(trouble)
            else:
                self.over()
                return answer

    def bear(self, trouble: Exception) -> None:
        """Wait a little before the next try."""
        now = time.monotonic()
        if self._until is None:
            self._until = now + self._seconds
            _log.warning("trouble, trying again for %s s: %s", self._seconds, one_line(trouble))
        if now >= self._until:
            raise self._give_up(trouble) from trouble
        if self._stop():
            raise Stopped from trouble
        time.sleep(min(self._pause, self._until - now))
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)

    def over(self) -> None:
        """The trouble has gone."""
        if self._until is not None:
            _log.warning("the trouble is over")
            self._until, self._pause = None, FIRST_PAUSE_SECONDS
