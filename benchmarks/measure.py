"""Time and memory: of a piece of code, and of processes as the kernel counts them."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

TICKS: Final = os.sysconf("SC_CLK_TCK")
_PROC: Final = Path("/proc")


@dataclass(slots=True)
class Span:
    """What a piece of code took: `seconds` by the clock, `cpu_seconds` of this process."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0


@contextmanager
def timed() -> Iterator[Span]:
    """Measures what is done within it."""
    span = Span()
    begun, cpu = time.perf_counter(), time.process_time()
    yield span
    span.seconds, span.cpu_seconds = time.perf_counter() - begun, time.process_time() - cpu


def wait_until(condition: Callable[[], object], timeout_seconds: float, what: str) -> None:
    """Returns once `condition()` is true; RuntimeError naming `what` when that takes longer than the time-out."""
    end = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"not within {timeout_seconds} s: {what}")
        time.sleep(0.005)


class Usage(NamedTuple):
    """Of a process and its descendants that live: CPU time, and the most memory that any of them has held."""

    cpu_seconds: float
    peak_mb: float


def family(root: int) -> Usage:
    """What the kernel has counted for a process, its live descendants, and those of them that it has waited for."""
    cpu, peak = 0.0, 0.0
    for pid in _descendants(root):
        try:
            fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
            status = (_PROC / str(pid) / "status").read_text()
        except OSError:
            continue  # it has just ended
        cpu += sum(map(int, fields[11:15])) / TICKS  # utime, stime, and those of its children that have ended
        peak = max(peak, _peak_kb(status) / 1024)
    return Usage(cpu, peak)


def resident_mb(pid: int) -> float:
    """What a process holds now."""
    pages = int((_PROC / str(pid) / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def children(pid: int) -> list[int]:
    """The processes that a process has started and that live."""
    try:
        threads = list((_PROC / str(pid) / "task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return []


def _descendants(root: int) -> Iterator[int]:
    yield root
    for child in children(root):
        yield from _descendants(child)


def _peak_kb(status: str) -> int:
    for line in status.splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1])
    return 0
