"""`commcredits` on a disk with room for files of so many bytes: `python -m tests.support.cramped COMMAND …`.

COMMCREDITS_ROOM says how many. The kernel refuses what is beyond (EFBIG, where a full disk says ENOSPC); `make_room`
lifts that from outside while the process runs.
"""

from __future__ import annotations

import os
import resource
import sys

from commcredits.cli import main


def make_room(pid: int) -> None:
    """As much as it wants from now on."""
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ["COMMCREDITS_ROOM"]), hard))
    sys.exit(main())
