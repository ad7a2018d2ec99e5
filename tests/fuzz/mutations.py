"""Mutates input: bytes of a format are bent, cut, doubled and spliced, the same way for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

# What has broken decoders before
NASTY: Sequence[bytes] = (
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"1e-999", b"1e999999999", b"-0", b"1_000", b"0x1", b"1" * 400,
    b"0." + b"3" * 40,
    b"\x00", b"\x7f", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc2\x85", b"\xed\xa0\x80", b"\\ud800",
    b"\\u0000", b"\\u0022", b'\\"', b'"', b'""', b"'", b",", b":", b"{", b"}", b"[", b"]", b"[" * 2000, b"\n", b"\r",
    b"\r\n", b"\t", b" ", b"null", b"None", b"true", b"{}", b"[]", b"*", b"+", b"-", b"0001-01-01T00:00:00Z",
    b"9999-12-31T23:59:59-14:00", b".9999999Z", b"24:00:00", b"Z", "٣".encode(), "é".encode(), b"specversion", b"value",
    b'"usage_id":"x",', b'"specversion":"1.0",', b"PK\x03\x04", b"../", b";", b"FREECALL", b"x" * 300,
)  # fmt: skip


class Target(NamedTuple):
    """A format: whole inputs to begin with, and a check that raises for whatever must not be."""

    name: str
    seeds: Sequence[bytes]
    check: Callable[[bytes], None]
    share: int  # of the inputs, beside the others'


class Found(AssertionError):
    """An input that broke a promise, with what it takes to see it again."""

    def __init__(self, target: Target, data: bytes, seed: int, number: int) -> None:
        super().__init__(f"{target.name}, seed {seed}, input {number}: {data!r}")


def run(targets: Sequence[Target], seed: int, count: int) -> None:
    """Check `count` mutated inputs, spread over the targets by their shares. Raises Found."""
    chance = random.Random(seed)
    order = [target for target in targets for _ in range(target.share)]
    for number in range(count):
        target = order[number % len(order)]
        data = mutated(target.seeds, chance)
        try:
            target.check(data)
        except Exception as error:
            raise Found(target, data, seed, number) from error


def mutated(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """One of the seeds, changed in a few places."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5))):
        _change(data, chance, seeds)
    return bytes(data)


def _change(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    start = chance.randrange(len(data) + 1)
    end = min(len(data), start + chance.choice((0, 1, 1, 2, 4, 16, 64)))
    match chance.randrange(8):
        case 0 if data:
            data[start - 1] ^= 1 << chance.randrange(8)
        case 1:
            del data[start:end]
        case 2:
            data[start:start] = data[start:end] * chance.choice((1, 2, 9))
        case 3:
            other = chance.choice(seeds)
            place = chance.randrange(len(other) + 1)
            data[start:end] = other[place : place + chance.choice((8, 40, 400))]
        case 4:
            del data[start:]
        case 5:
            data[start:end] = bytes(chance.randrange(256) for _ in range(chance.choice((1, 2, 8))))
        case 6:
            _replace_value(data, chance)
        case _:
            data[start:end] = chance.choice(NASTY)


def _replace_value(data: bytearray, chance: random.Random) -> None:
    """Put something nasty where a value stands: between two of the separators JSON and CSV have."""
    places = list(_separators(data))
    if len(places) > 1:
        index = chance.randrange(len(places) - 1)
        data[places[index] + 1 : places[index + 1]] = chance.choice(NASTY)


def _separators(data: bytearray) -> Iterator[int]:
    return (place for place, byte in enumerate(data) if byte in b':,"\n')
