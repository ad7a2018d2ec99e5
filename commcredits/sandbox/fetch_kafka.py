"""Fetches Kafka's broker jars, pinned by sha256, without Maven and without Java.

    python -m commcredits.sandbox.fetch_kafka .venv/kafka-jars

jgo is a Maven client in Python; files already in its own cache are taken from there. It only warns of a wrong
checksum, so the lock file beside this module decides.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from jgo.maven import MavenContext

LOCK = Path(__file__).with_name("kafka-jars.lock")
TRIES = 3


class Jar(NamedTuple):
    """One line of the lock: the sha256 and the Maven coordinates."""

    sha256: str
    group: str
    artifact: str
    version: str

    @property
    def name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def wanted() -> list[Jar]:
    """The jars of the lock file."""
    lines = [line.split() for line in LOCK.read_text().splitlines()]
    return [Jar(digest, *coordinates.split(":")) for digest, coordinates in lines]


def fetch(target: Path, workers: int = 8) -> None:
    """Brings every jar of the lock into `target`; those that are there already are only checked.

    Safe beside other processes that do the same. RuntimeError when a jar's content is not what the lock says.
    """
    target.mkdir(parents=True, exist_ok=True)
    missing = [jar for jar in wanted() if not _is(target / jar.name, jar.sha256)]
    if not missing:
        return
    from jgo.maven import MavenContext

    maven = MavenContext(timeout=60)
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(partial(_bring, maven, target), missing))


def _bring(maven: MavenContext, target: Path, jar: Jar) -> None:
    part = target / f".{jar.name}.{os.getpid()}"
    shutil.copyfile(_resolve(maven, jar), part)
    part.replace(target / jar.name)


def _resolve(maven: MavenContext, jar: Jar) -> Path:
    artifact = maven.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    for attempt in range(1, TRIES + 1):
        try:
            source = Path(artifact.resolve())
        except Exception:
            # jgo leaves a cut-off file behind, which it would hand out next time
            if artifact.cached_path:
                artifact.cached_path.unlink(missing_ok=True)
            if attempt == TRIES:
                raise
        else:
            if _is(source, jar.sha256):
                return source
            source.unlink()
    raise RuntimeError(f"{jar.group}:{jar.artifact}:{jar.version}: sha256 differs from {LOCK.name}")


def _is(path: Path, sha256: str) -> bool:
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
