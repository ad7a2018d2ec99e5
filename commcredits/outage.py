"""What is told of a provider that cannot be asked, however many accounts wait for it: one line when that begins, one a
minute while it lasts, one when it is over.
"""

import logging
import time
from collections.abc import Callable
from typing import Final

from application.claims import Claim
from commcredits.pauses import LONGEST_PAUSE_SECONDS

EVERY_SECONDS: Final = 60.0
FORGOTTEN_SECONDS: Final = 2 * LONGEST_PAUSE_SECONDS  # who was not tried here for so long is with another worker
NAMED: Final = 3
_log = logging.getLogger("commcredits.work")


class Outage:
    """Of one worker. `clock`: seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: dict[Claim, float] = {}  # when it was last tried
        self._reason = ""
        self._lasts = False  # as far as was told
        self._told_at: float | None = None

    def waits(self, claim: Claim, reason: str) -> None:
        """The provider was asked, and did not answer."""
        self._waiting[claim], self._reason = self._clock(), reason

    def goes_on(self, claim: Claim) -> None:
        """It has answered, or needs not be asked any more."""
        self._waiting.pop(claim, None)

    def tell(self) -> None:
        """What has changed; to be called often. One that comes and goes is told of at most once a minute."""
        clock = self._clock()
        due = self._told_at is None or clock >= self._told_at + EVERY_SECONDS
        if due:
            self._waiting = {claim: at for claim, at in self._waiting.items() if clock < at + FORGOTTEN_SECONDS}
        if not self._waiting:
            if self._lasts:
                _log.warning("the provider answers again")
            self._lasts = False
        elif due:
            accounts = sorted({claim.account for claim in self._waiting})
            still = "still " if self._lasts else ""
            _log.warning("the provider %scannot be asked, %s: %s", still, _who_waits(accounts), self._reason)
            self._lasts, self._told_at = True, clock


def _who_waits(accounts: list[str]) -> str:
    more = f" and {len(accounts) - NAMED} more" if len(accounts) > NAMED else ""
    count = "1 account waits" if len(accounts) == 1 else f"{len(accounts)} accounts wait"
    return f"{count} ({', '.join(accounts[:NAMED])}{more})"
