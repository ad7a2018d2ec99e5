"""Figures: what was measured, what it is measured by, and what it must be; as a table and as JSON."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

LIBRARIES: Final = ("eventsourcing", "kafka-python", "psycopg", "msgspec", "orjson", "cryptography")
HEAD: Final = ("figure", "measured", "floor", "ratio", "must", "aim", "", "rows")
ROUNDED: Final = 3  # digits that are shown of a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number. Where it has a floor, their ratio is what counts, else the number itself.

    `at_most`: small is good; then `must` and `aim` are the most that it may be. `detail`: what else was seen.
    """

    name: str
    unit: str
    value: float
    rows: int
    floor: float | None = None
    must: float | None = None
    aim: float | None = None
    at_most: bool = False
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def judged(self) -> float:
        """What `must` and `aim` are about."""
        return self.value if self.floor is None else self.value / self.floor

    @property
    def verdict(self) -> str:
        """`aim` reached, `ok`, `short` of what it must be, or nothing where it must be nothing."""
        if self.must is None:
            return ""
        if not self._reaches(self.must):
            return "short"
        return "aim" if self.aim is not None and self._reaches(self.aim) else "ok"

    def _reaches(self, bound: float) -> bool:
        return self.judged <= bound if self.at_most else self.judged >= bound

    def cells(self) -> tuple[str, ...]:
        """A line of the table."""
        sign = "≤" if self.at_most else "≥"
        bounds = ["" if bound is None else f"{sign} {bound:g}" for bound in (self.must, self.aim)]
        floor = "" if self.floor is None else short(self.floor)
        ratio = "" if self.floor is None else f"{self.judged:.2f}"
        return (self.name, f"{short(self.value)} {self.unit}", floor, ratio, *bounds, self.verdict, f"{self.rows:,}")

    def view(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**asdict(self), "judged": self.judged, "verdict": self.verdict}


def short(number: float) -> str:
    """A few digits of a number."""
    return f"{number:,.0f}" if abs(number) >= 10**ROUNDED else f"{number:.{ROUNDED}g}"


def table(figures: Sequence[Figure]) -> str:
    """The figures below each other."""
    rows = [HEAD, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def machine() -> dict[str, Any]:
    """What all this ran on."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
