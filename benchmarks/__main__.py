"""The benchmarks: `python -m benchmarks [--large] [--only NAME,…] [--usages N] [--save]`.

Starts its own servers with fsync on (or uses those that COMMCREDITS_TEST_KAFKA and COMMCREDITS_TEST_POSTGRES name),
prints each figure as it is known and all of them at the end, and writes build/bench.json; `--save` also
docs/benchmarks.json and docs/benchmarks.svg.
"""

import json
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from benchmarks import (
    figures_authorize,
    figures_kafka,
    figures_latency,
    figures_reading,
    figures_recharge,
    figures_sqlite,
)
from benchmarks.context import Context
from benchmarks.picture import draw
from benchmarks.report import Figure, machine, table
from benchmarks.traffic import World

ROOT: Final = Path(__file__).parents[1]
FIGURES: Final[dict[str, Callable[[Context], list[Figure]]]] = {
    "rate": figures_reading.look_ups,
    "sqlite": figures_sqlite.from_file,
    "kafka": figures_kafka.whole_path,
    "replay": figures_reading.replayed,
    "process": figures_kafka.one_process,
    "latency": figures_latency.steady_stream,
    "recharge": figures_recharge.recharges,
    "authorize": figures_authorize.authorized,
    "stages": figures_kafka.by_stage,
    "large": figures_kafka.large,
}


def main(arguments: Sequence[str]) -> None:
    """Measure what was asked for."""
    options = _options().parse_args(arguments)
    names = options.only or [name for name in FIGURES if options.large or name != "large"]
    figures: list[Figure] = []
    world = World(accounts=options.accounts)
    with (
        tempfile.TemporaryDirectory(prefix="commcredits-bench-") as folder,
        closing(Context(Path(folder), world, options.usages)) as context,
    ):
        for name in names:
            begun = time.monotonic()
            found = FIGURES[name](context)
            figures += found
            _write(_results(context, figures), context.stages, options)
            print(f"{name}: {time.monotonic() - begun:.0f} s\n{table(found)}\n", flush=True)
    print(table(figures))


def _options() -> ArgumentParser:
    def names(text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := set(chosen) - FIGURES.keys():
            raise ValueError(f"{', '.join(sorted(unknown))} is none of {', '.join(FIGURES)}")
        return chosen

    parser = ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", type=names, metavar="NAME,…", help=f"of {', '.join(FIGURES)}")
    parser.add_argument("--large", action="store_true", help="also with ten times as many usages stored")
    parser.add_argument("--usages", type=int, default=1_000_000, help="of each stream; fewer for a quick look")
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--save", action="store_true", help="keep the results and the picture in docs/")
    return parser


def _results(context: Context, figures: Sequence[Figure]) -> dict[str, Any]:
    return {
        "machine": machine() | context.versions(),
        "usages": context.usages,
        "accounts": context.world.accounts,
        "prefixes": context.world.prefixes,
        "figures": [figure.view() for figure in figures],
        "stages_micros": {name: {"cpu": cpu, "clock": clock} for name, (cpu, clock) in context.stages.items()},
    }


def _write(results: dict[str, Any], stages: dict[str, tuple[float, float]], options: Namespace) -> None:
    text = json.dumps(results, indent=2, ensure_ascii=False) + "\n"
    folders = [ROOT / "build" / "bench"] + [ROOT / "docs" / "benchmarks"] * options.save
    for name in folders:
        name.parent.mkdir(exist_ok=True)
        name.with_suffix(".json").write_text(text, encoding="utf-8")
        if stages:
            picture = draw(stages, "One usage through one consumer, by stage")
            name.with_suffix(".svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
