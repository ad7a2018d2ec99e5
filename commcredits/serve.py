"""`serve`: HTTP in one process, one thread for requests and one for what asks the store.

SIGTERM and SIGINT end it gracefully: requests that have begun are answered, no new ones are taken.
"""

import asyncio
import errno
import logging
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
import uvloop
from litestar.types import ASGIApp

from commcredits import __version__
from commcredits.bootstrap import Engine, now
from commcredits.stopping import SIGNALS
from domain.errors import Invalid

GRACE_SECONDS: Final = 10  # for answers on their way, once it is asked to stop
KEEP_ALIVE_SECONDS: Final = 75  # longer than a proxy in front keeps an idle connection
BACKLOG: Final = 2048
SWITCH_SECONDS: Final = (
    0.0005  # how long a request may wait for a thread that reads: Python's 5 ms are its whole budget
)


def serve(engine: Engine, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Until it is asked to stop. `ready` is told the address once connections are taken.

    Raises Invalid `api_token_missing`, `invalid_host`, `port_in_use`; what opening the store raises.
    """
    from api.access import is_loopback

    if engine.settings.api_token is None and not is_loopback(host):
        text = f"{host} is reached from outside: set COMMCREDITS_API_TOKEN, or listen on 127.0.0.1"
        raise Invalid("api_token_missing", text, "host")
    logging.basicConfig(stream=sys.stderr, format="commcredits serve: %(message)s")
    _ = engine.vault  # what cannot be opened is told now
    sys.setswitchinterval(SWITCH_SECONDS)
    with _listening(host, port) as listener:
        try:
            uvloop.run(_run(engine, listener, ready))
        except SystemExit as error:  # uvicorn's way to say that what runs beside the application did not start
            raise RuntimeError("serve could not start; see what it logged") from error


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise Invalid(
            "invalid_host", f"no address of this machine is called {host}: {error.strerror}", "host"
        ) from error
    family, _, _, _, address = found[0]
    try:
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            text = f"port {port} of {host} is taken by another process: name another --port"
            raise Invalid("port_in_use", text, "port") from error
        raise Invalid("invalid_host", f"cannot listen on {host} port {port}: {error.strerror}", "host") from error
    with listener:
        yield listener


class _Server(uvicorn.Server):
    """Signals are ours: uvicorn would raise them again at its end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for each in SIGNALS:
            loop.add_signal_handler(each, self._stop)
        yield

    def _stop(self) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True


async def _run(engine: Engine, listener: socket.socket, ready: Callable[[str], None]) -> None:
    config = uvicorn.Config(
        _app(engine),
        http="httptools",
        ws="none",
        lifespan="on",
        log_level="warning",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not running.done():
        await asyncio.sleep(0.005)
    if server.started:
        host, port = listener.getsockname()[:2]
        ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
    await running


def _app(engine: Engine) -> ASGIApp:
    from api.app import create_app
    from api.authorize import authorize
    from api.following import Following
    from api.health import health
    from api.payments import payments
    from commcredits.serve_payments import PaymentDesk
    from commcredits.serve_sources import LogSource, StoreSource

    settings = engine.settings
    book = Following(lambda: LogSource(settings), lambda: StoreSource(settings), settings.cache_accounts, now)
    desk = PaymentDesk(settings)
    may_hear = bool(settings.stripe_api_key and settings.stripe_webhook_secret)
    routes = [*health(book), *authorize(book), *payments(desk, may_hear)]
    return create_app(routes, settings.api_token, __version__, [book.running, desk.running])
