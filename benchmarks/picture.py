"""The time of one usage by stage, as a picture: plain SVG."""

from collections.abc import Mapping
from html import escape
from typing import Final

from benchmarks.report import short

WIDTH: Final = 640
LABELS: Final = 110
BAR: Final = 18
GAP: Final = 8
TOP: Final = 44
CPU_COLOUR: Final = "#2b6cb0"
CLOCK_COLOUR: Final = "#bcd3ea"


def draw(stages: Mapping[str, tuple[float, float]], title: str) -> str:
    """Bars of µs a usage by stage: dark what it computed (CPU), light what it waited for on top of that."""
    most = max(max(each) for each in stages.values())
    scale = (WIDTH - LABELS - 130) / most
    height = TOP + (BAR + GAP) * len(stages) + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-size="12">',
        "<style>text { font-family: sans-serif }</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="8" y="18" font-weight="bold">{escape(title)}</text>',
        '<text x="8" y="34" fill="#555">µs a usage: dark is CPU, light is waiting</text>',
    ]
    for number, (name, (cpu, clock)) in enumerate(stages.items()):
        top = TOP + (BAR + GAP) * number
        whole = max(cpu, clock)
        end = LABELS + whole * scale + 6
        parts += [
            f'<text x="{LABELS - 6}" y="{top + 13}" text-anchor="end">{escape(name)}</text>',
            _bar(top, whole * scale, CLOCK_COLOUR),
            _bar(top, cpu * scale, CPU_COLOUR),
            f'<text x="{end:.1f}" y="{top + 13}">{short(cpu)} of {short(whole)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _bar(top: int, width: float, colour: str) -> str:
    return f'<rect x="{LABELS}" y="{top}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>'
