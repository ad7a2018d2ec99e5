"""Prints the Python that `make setup` uses: the first on the PATH that will do, or another that is much faster.

Builds differ: one without the compiler's optimisations takes a fifth longer for the same work. To have your way:
`make setup PYTHON=/usr/bin/python3.12`. Written for any Python 3, as it must run before a good one is found.
"""

import os
import subprocess
from typing import Iterator, Optional  # noqa: UP035 - and no newer syntax: an old Python is to read this

NAMES = ("python3", "python3.14", "python3.13", "python3.12", "python3.11")
MUCH = 0.9  # of the first one's time: less is noise, and no reason to surprise anybody
PROBE = """
import sys
if sys.version_info < (3, 11):
    sys.exit(1)
import ensurepip, sqlite3, ssl, time, venv
class Box:
    __slots__ = ("value",)
def work():
    box, found = Box(), {}
    for number in range(20_000):
        box.value = number
        found[str(number)] = (box.value, number * 3)
def timed():
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
print(min(timed() for _ in range(15)), sys.executable)
"""


def candidates() -> Iterator[str]:
    """Paths, in the order of the PATH and of NAMES; the system's own last."""
    folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    seen = set()
    for name in NAMES:
        for folder in [*folders, "/usr/bin"]:
            path = os.path.join(folder, name)
            if os.access(path, os.X_OK) and os.path.realpath(path) not in seen:
                seen.add(os.path.realpath(path))
                yield path


def seconds(path: str) -> Optional[float]:  # noqa: UP045
    """How long it takes for the probe; None where it is too old or cannot make a virtual environment."""
    try:
        done = subprocess.run(
            [path, "-c", PROBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20, check=False
        )
        return float(done.stdout.split()[0]) if done.returncode == 0 else None
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return None


def choose() -> str:
    """The path, or python3 where none will do: what is wrong is then said by `make setup`."""
    timed = [(taken, path) for path in candidates() for taken in [seconds(path)] if taken is not None]
    if not timed:
        return "python3"
    first, fastest = timed[0], min(timed)
    return (fastest if fastest[0] < MUCH * first[0] else first)[1]


if __name__ == "__main__":
    print(choose())
