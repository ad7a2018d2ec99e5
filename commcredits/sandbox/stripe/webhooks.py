"""Webhooks: every event, signed, to the configured address, until a 2xx comes; late or twice on purpose."""

from __future__ import annotations

import hashlib
import heapq
import hmac
import json
import secrets
import threading
import time
from collections.abc import Sequence
from http.client import HTTPException
from typing import Final, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from commcredits.sandbox.stripe.state import Object

WORKERS: Final = 4
ANSWER_SECONDS: Final = 10
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 3600.0
GIVES_UP_SECONDS: Final = 3 * 24 * 3600


def new_secret() -> str:
    """`whsec_…`."""
    return f"whsec_{secrets.token_hex(16)}"


def signature(body: bytes, secrets_in_use: Sequence[str], at: int) -> str:
    """The `Stripe-Signature` header: one `v1` for each secret, several while one is being rolled."""
    signed = b"%d.%s" % (at, body)
    digests = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets_in_use]
    return ",".join([f"t={at}", *(f"v1={digest}" for digest in digests)])


class Delivery(NamedTuple):
    """One try: what the other side answered, 0 where nothing."""

    event_id: str
    kind: str
    status: int


class Webhooks:
    """Delivers on threads of its own once it has an address."""

    def __init__(self, secret: str) -> None:
        self.secrets = [secret]
        self.url = ""
        self.times, self.delay_seconds, self.held = 1, 0.0, False
        self.deliveries: list[Delivery] = []
        self._held: list[Object] = []
        self._due: list[tuple[float, int, float, Object]] = []  # when, order, first tried, event
        self._order = 0
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def on_event(self, event: Object) -> None:
        """Deliver it, unless there is nowhere to, or it is held back."""
        with self._changed:
            if self.held:
                self._held.append(event)
            elif self.url:
                for _ in range(self.times):
                    self._put(event, time.monotonic() + self.delay_seconds, time.monotonic())

    def release(self, reverse: bool) -> int:
        """Deliver what was held back; answers how many."""
        with self._changed:
            self.held, held = False, self._held
            self._held = []
        for event in reversed(held) if reverse else held:
            self.on_event(event)
        return len(held)

    def close(self) -> None:
        """No more deliveries."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _put(self, event: Object, at: float, first: float) -> None:
        self._order += 1
        heapq.heappush(self._due, (at, self._order, first, event))
        if len(self._threads) < WORKERS:
            thread = threading.Thread(target=self._work, name="sandbox-webhooks", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._closed and not (self._due and self._due[0][0] <= time.monotonic()):
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                if self._closed:
                    return
                _, _, first, event = heapq.heappop(self._due)
                url, secrets_in_use = self.url, list(self.secrets)
            status = post(url, event, secrets_in_use)
            with self._changed:
                self.deliveries.append(Delivery(event["id"], event["type"], status))
                waited = time.monotonic() - first
                if 200 <= status < 300:
                    event["pending_webhooks"] = 0
                elif waited < GIVES_UP_SECONDS:
                    pause = min(max(waited, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
                    self._put(event, time.monotonic() + pause, first)


def post(url: str, event: Object, secrets_in_use: Sequence[str], at: int | None = None) -> int:
    """Send one event; answers the status, 0 where no answer came. `at`: the time that is signed, seconds."""
    body = json.dumps(event, indent=2).encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Stripe-Signature": signature(body, secrets_in_use, int(time.time()) if at is None else at),
    }
    try:
        with urlopen(Request(url, body, headers), timeout=ANSWER_SECONDS) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code
    except (OSError, HTTPException):
        return 0
