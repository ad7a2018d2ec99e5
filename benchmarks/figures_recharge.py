"""Figures of auto-recharge: from the trigger to the credit, through `work`, with a provider that takes its time.

The provider is the sandbox; on a machine it shares, the work that it does is counted in ours. What is taken off as the
provider's time is only how long it was told to wait before each of its answers.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, Final

from benchmarks.context import Context
from benchmarks.figures_latency import bring_up
from benchmarks.measure import family
from benchmarks.report import Figure
from benchmarks.shop import LOOK_SECONDS, Credits, Sandbox, Shop, sandbox, working

AT_ONCE: Final = 1_000
LATENCY_SECONDS: Final = 0.05
RATE_LIMIT_EVERY: Final = 20  # of so many requests one is answered 429
RATE: Final = 5  # recharges a second
SECONDS: Final = 30
WARMING: Final = RATE * 2  # recharges that are not counted
REQUESTS: Final = 2  # of one recharge: the payment is made, then confirmed
PARTS: Final = (50, 90, 99, 100)
END_SECONDS: Final = 120


def recharges(context: Context) -> list[Figure]:
    """A thousand accounts at once, then a steady rate of others."""
    return [*_at_once(context), *_steady(context)]


@contextmanager
def _open(context: Context, accounts: int) -> "Iterator[tuple[Shop, Sandbox]]":
    with context.database() as url, sandbox() as provider, closing(Shop(url, provider, accounts)) as shop:
        bring_up(url)
        shop.open()
        yield shop, provider


def _at_once(context: Context) -> list[Figure]:
    with _open(context, AT_ONCE) as (shop, provider):
        provider.control("latency", seconds=LATENCY_SECONDS, rate_limit_every=RATE_LIMIT_EVERY)
        with working(shop.url, provider, context.log) as process:
            with closing(Credits(shop)) as credited:
                before = family(process.pid).cpu_seconds
                begun = shop.trigger(AT_ONCE)
                credited.wait(AT_ONCE, END_SECONDS)
            cpu = family(process.pid).cpu_seconds - before
        provider.control("clear_faults")
        shop.check()
    took = sorted(at - begun for at in credited.at.values())
    return [
        Figure(
            name=f"{AT_ONCE:,} recharges triggered at once, until each is credited",
            unit="s",
            value=took[-1],
            rows=AT_ONCE,
            must=30,
            at_most=True,
            detail={
                "seconds": _parts(took),
                "cpu_ms_each": round(cpu / AT_ONCE * 1000, 1),
                "latency_ms": LATENCY_SECONDS * 1000,
                "rate_limit_every": RATE_LIMIT_EVERY,
            },
        )
    ]


def _steady(context: Context) -> list[Figure]:
    count = WARMING + RATE * SECONDS
    with _open(context, count) as (shop, provider):
        provider.control("latency", seconds=LATENCY_SECONDS)
        with working(shop.url, provider, context.log), closing(Credits(shop)) as credited:
            due = _trigger_each(shop, credited)
            credited.wait(count, END_SECONDS)
        shop.check()
    counted = shop.accounts[WARMING:]
    took = sorted((credited.at[name] - due[name]) * 1000 for name in counted)
    provider_ms = REQUESTS * LATENCY_SECONDS * 1000
    detail = {"credited_ms": _parts(took), "provider_ms": provider_ms}
    of: dict[str, Any] = {"unit": "ms", "rows": len(took), "at_most": True, "detail": detail}
    half, most = (detail_ms - provider_ms for detail_ms in (_part(took, 50), _part(took, 99)))
    name = f"{RATE} recharges/s: credited after, without the provider's {provider_ms:.0f} ms,"
    return [
        Figure(name=f"{name} half of them", value=half, **of),
        Figure(name=f"{name} 99%", value=most, must=500, **of),
    ]


def _trigger_each(shop: Shop, credited: Credits) -> dict[str, float]:
    """All accounts, one after the other at a steady rate; answers when each was due to be triggered."""
    begun = time.perf_counter()
    due = {name: begun + number / RATE for number, name in enumerate(shop.accounts)}
    for at in due.values():
        while time.perf_counter() < at:
            credited.look()
            time.sleep(LOOK_SECONDS)
        shop.trigger(1)
    return due


def _part(values: Sequence[float], part: float) -> float:
    """Of sorted values."""
    last = len(values) - 1
    return values[min(last, int(part * len(values) / 100))]


def _parts(values: Sequence[float]) -> dict[str, float]:
    return {f"p{part:g}": round(_part(values, part), 2) for part in PARTS}
