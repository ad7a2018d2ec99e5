"""Starting and ending a server process that must not outlive us, and ports for it to listen on."""

from __future__ import annotations

import os
import random
import signal as signals
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

EPHEMERAL_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")

# Runs between fork and the server: a preexec_fn would do, but Python 3.12 warns of it in a process with threads.
# Privileges are dropped first because the kernel forgets the death signal when they change.
LAUNCHER = """\
import ctypes, os, sys
sig, parent, uid, gid = map(int, sys.argv[1:5])
if uid >= 0:
    os.setgroups([]); os.setgid(gid); os.setuid(uid)
if sig and sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, sig)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        sys.exit("the parent is gone")
os.execv(sys.argv[5], sys.argv[5:])
"""


def free_ports(count: int) -> list[int]:
    """`count` free ports of 127.0.0.1, below the ephemeral range.

    There no client's own outgoing connection can take the port (nor connect to itself) while a server is down
    between a kill and a restart.
    """
    low = int(EPHEMERAL_PORTS.read_text().split()[0]) if EPHEMERAL_PORTS.exists() else 32768
    held: list[socket.socket] = []
    try:
        while len(held) < count:
            candidate = socket.socket()
            held.append(candidate)
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind(("127.0.0.1", random.SystemRandom().randrange(max(1024, low - 12000), low)))
            except OSError:
                held.pop().close()
        return [s.getsockname()[1] for s in held]
    finally:
        for s in held:
            s.close()


def launch(
    args: Sequence[str | Path],
    *,
    log: Path,
    death_signal: signals.Signals,
    user: tuple[int, int] | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Starts `args` in a session of its own, its output appended to `log`, as `user` (uid, gid) where given.

    The kernel sends it `death_signal` when we die. That follows the *thread* that started it, so it is asked for
    from the main thread only; elsewhere the caller's own clean-up has to do.
    """
    in_main = threading.current_thread() is threading.main_thread()
    uid, gid = user or (-1, -1)
    head = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(int(death_signal) if in_main else 0), str(os.getpid())]
    with log.open("ab") as out:
        return subprocess.Popen(
            [*head, str(uid), str(gid), *map(str, args)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=env,
            cwd="/",
            start_new_session=True,
        )


def wait_ready(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path, timeout_seconds: float) -> None:
    """Returns once `ready()` is true; RuntimeError with the log's tail when the process ended or time is up."""
    end = time.monotonic() + timeout_seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            finish(process, signals.SIGKILL)
            tail = log.read_text(errors="replace")[-4000:]
            raise RuntimeError(f"{process.args!r} did not start within {timeout_seconds} s:\n{tail}")
        time.sleep(0.01)


def finish(process: subprocess.Popen[bytes] | None, signal: signals.Signals, timeout_seconds: float = 20) -> None:
    """Sends `signal` and waits for the end; SIGKILL when it takes longer than `timeout_seconds`."""
    if process is None:
        return
    if process.poll() is None:
        process.send_signal(signal)
    try:
        process.wait(timeout_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
