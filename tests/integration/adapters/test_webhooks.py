"""Posting to receivers that are slow, chatty, false or in the wrong place."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters import webhooks
from adapters.webhooks import Webhooks
from application.sending import Answer, Hook
from tests.support.certificates import Authority
from tests.support.receivers import HOST, Receiver, receiver

SECRET = b"s" * 32


@pytest.fixture
def hook() -> Iterator[Receiver]:
    """A receiver."""
    with receiver() as kept:
        yield kept


def post(url: str, *, seconds: float = 5, allowed: tuple[str, ...] = ("127.0.0.0/8",)) -> Answer:
    return Webhooks(allowed, seconds).send(Hook("ntc-1", url, SECRET, b'{"type":"test"}', 1_700_000_000))


@contextmanager
def says(*pieces: bytes | float) -> Iterator[str]:
    """A server that answers anything with these bytes, and waits where a number stands."""
    listening = socket.create_server((HOST, 0))
    over = threading.Event()

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            for piece in pieces:
                if isinstance(piece, float):
                    over.wait(piece)
                    continue
                try:
                    connection.sendall(piece)
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://{HOST}:{listening.getsockname()[1]}/"
    over.set()
    listening.close()
    thread.join(5)


def test_2xx_is_delivered_and_the_answer_is_kept(hook: Receiver) -> None:
    assert post(f"{hook.url}?key=a%20b") == Answer(True, "200 OK said")
    assert hook.posts[0].path == "/hook?key=a%20b"
    assert hook.posts[0].headers["content-type"] == "application/json"
    assert hook.posts[0].headers["webhook-timestamp"] == "1700000000"


@pytest.mark.parametrize(("status", "final"), [(400, False), (404, False), (410, True), (429, False), (500, False)])
def test_what_is_no_2xx_is_not_delivered(hook: Receiver, status: int, final: bool) -> None:
    hook.answer = lambda handler: status
    answer = post(hook.url)

    assert (answer.delivered, answer.final) == (False, final)
    assert answer.text.startswith(f"{status} ")


def test_an_address_of_ones_own_is_not_reached_whatever_was_added_before(hook: Receiver) -> None:
    answer = post(hook.url, allowed=())

    assert answer == Answer(
        False,
        f"not sent: {HOST} is in a network of the operator's own: COMMCREDITS_WEBHOOK_ALLOW can let it",
    )
    assert hook.posts == []


def test_a_name_is_looked_up_once_and_that_very_address_is_reached(
    hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ask = socket.getaddrinfo

    def answer(host: Any, port: Any, *more: Any, **others: Any) -> Any:
        if host != "rebinding.example.com":
            return ask(host, port, *more, **others)
        asked.append(host)
        return ask(HOST if len(asked) == 1 else "10.0.0.1", port, *more, **others)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    port = hook.url.rpartition(":")[2].removesuffix("/hook")

    assert post(f"http://rebinding.example.com:{port}/hook").delivered
    assert asked == ["rebinding.example.com"]
    assert hook.posts[0].headers["host"] == f"rebinding.example.com:{port}"


def test_a_name_that_nobody_has_is_said() -> None:
    answer = post("http://nobody.invalid/hook")

    assert not answer.final
    assert answer.text.startswith("not sent: the look-up of nobody.invalid says: ")
    assert "gaierror" not in answer.text


def test_a_resolver_that_hangs_holds_up_a_delivery_until_its_deadline_and_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(60) and [])
    sender, began = Webhooks([], seconds=0.3), time.monotonic()

    answer = sender.send(Hook("ntc-1", "http://slow-resolver.example/", SECRET, b"{}", 1_700_000_000))
    sender.check("http://slow-resolver.example/")  # as a name without an address now: it may have one later
    over.set()

    assert time.monotonic() - began < 10
    text = "not sent within 0.3 s: slow-resolver.example was not looked up in time: the resolver does not answer"
    assert answer == Answer(False, text)


@pytest.mark.parametrize(
    "pieces",
    [
        (60.0,),
        (b"HTTP/1.1 200 OK\r\n", 60.0),
        (b"HTTP/1.1 ", *[piece for letter in "200 OK, and so on and on" for piece in (letter.encode(), 0.1)]),
    ],
    ids=["silent", "without end", "trickling"],
)
def test_a_receiver_has_so_many_seconds_for_all_of_it(pieces: tuple[bytes | float, ...]) -> None:
    begun = time.monotonic()
    with says(*pieces) as url:
        answer = post(url, seconds=0.4)

    assert answer == Answer(False, "no answer within 0.4 s")
    assert time.monotonic() - begun < 3


def test_what_comes_after_the_status_does_not_matter() -> None:
    with says(b"HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\nok", 60.0) as url:
        assert post(url, seconds=0.5).delivered


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 200 OK\r\n" + b"X-Padding: " + b"x" * 60_000 + b"\r\n" * 1, b"Y: " + b"y" * 60_000 + b"\r\n\r\n"),
        (b"SSH-2.0-OpenSSH_9.6\r\n",),
        (b"",),
        (b"HTTP/1.1 abc\r\n\r\n",),
    ],
    ids=["headers too long", "no HTTP", "nothing", "no status"],
)
def test_nonsense_is_no_delivery(pieces: tuple[bytes, ...]) -> None:
    with says(*pieces) as url:
        answer = post(url)

    assert not answer.delivered
    assert not answer.final
    assert len(answer.text) <= webhooks.SHOWN_CHARACTERS


def test_a_long_answer_is_cut_and_nothing_in_it_moves_a_cursor() -> None:
    body = b"\x1b[2J" + b"z" * 1_000_000
    with says(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body) as url:
        answer = post(url)

    assert answer.delivered
    assert len(answer.text) <= webhooks.SHOWN_CHARACTERS
    assert answer.text.isprintable()


def test_nobody_listens() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
    answer = post(f"http://{HOST}:{port}/")

    assert answer.text.startswith("ConnectionRefusedError")


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server"))
    with receiver(context) as kept:
        assert "CERTIFICATE_VERIFY_FAILED" in post(kept.url).text
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        assert post(kept.url).delivered
        assert kept.posts[0].json == {"type": "test"}
