"""How long `work` waits before it looks, or tries, again."""

from typing import Final

LOOK_SECONDS: Final = 0.25  # how late something may be noticed that no event announces
FIRST_PAUSE_SECONDS = 0.2  # before what has failed is tried again
LONGEST_PAUSE_SECONDS: Final = 60.0
_DOUBLINGS: Final = 20  # more than it takes to get there; without an end no number holds them after some hours


def pause_seconds(failures: int) -> float:
    """After so many, one after the other: ever longer, up to a minute."""
    return min(FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, _DOUBLINGS), LONGEST_PAUSE_SECONDS)
