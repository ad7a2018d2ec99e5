"""One API request: authorized, done once per idempotency key, answered, or spoiled by a fault.

The first answer under a key is kept with its status, 500s too, for 24 hours. Other parameters under it: 400
`idempotency_error`; still running: 409. A request refused as invalid before it began is not kept.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from commcredits.sandbox.stripe import charges, customers, disputes, events, faults, payments, refunds, setups
from commcredits.sandbox.stripe.errors import ApiError
from commcredits.sandbox.stripe.params import decode, read
from commcredits.sandbox.stripe.routes import Route, expanded
from commcredits.sandbox.stripe.state import API_VERSION, State

ROUTES: Final[tuple[Route, ...]] = (
    *customers.ROUTES,
    *payments.ROUTES,
    *setups.ROUTES,
    *charges.ROUTES,
    *refunds.ROUTES,
    *disputes.ROUTES,
    *events.ROUTES,
)
KEY_SECONDS: Final = 24 * 3600
KEY_LENGTH: Final = 255
REQUESTS_KEPT: Final = 10_000


class Request(NamedTuple):
    """What came. `form`: the query of a GET, the body of a POST."""

    method: str
    path: str
    form: str
    authorization: str
    key: str


class Response(NamedTuple):
    """What goes back."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Cut(Exception):
    """No answer: the connection ends."""


class Seen(NamedTuple):
    """A request as it is remembered; status 0 where no answer went back."""

    method: str
    path: str
    params: Mapping[str, Any]
    key: str
    status: int


@dataclass
class _Kept:
    request: tuple[str, str, str]
    at: int
    response: Response | None  # None: it is running


class Api:
    """The endpoints under `/v1`."""

    def __init__(self, state: State, coming: faults.Faults, closing: threading.Event) -> None:
        self._state, self._faults, self._closing = state, coming, closing
        self._kept: dict[str, _Kept] = {}
        self.requests: deque[Seen] = deque(maxlen=REQUESTS_KEPT)

    def answer(self, request: Request) -> Response:
        """Raises Cut where none is to go back."""
        fault = self._faults.take(request.method, request.path)
        status = 0
        try:
            response = self._guarded(request, fault)
            status = response.status
            return response
        finally:
            try:
                params = decode(request.form)
            except ApiError:
                params = {"": request.form}
            self.requests.append(Seen(request.method, request.path, params, request.key, status))

    def forget_keys(self) -> None:
        """As if a day had passed."""
        with self._state.lock:
            self._kept = {key: kept for key, kept in self._kept.items() if kept.response is None}

    def _guarded(self, request: Request, fault: faults.Fault) -> Response:
        try:
            _authorize(request.authorization)
            refused = faults.refusal(fault.kind)
            if refused is not None:
                self._wait(self._faults.latency_seconds)
                raise refused
            keyed = request.method == "POST" and request.key
            response = self._once(request, fault) if keyed else self._run(request, fault)[0]
        except ApiError as error:
            response = _response(error.status, error.body())
        if fault.kind == "late":
            self._wait(fault.seconds)
        if fault.kind == "cut_after":
            raise Cut
        return response

    def _once(self, request: Request, fault: faults.Fault) -> Response:
        key, asked = request.key, (request.method, request.path, request.form)
        if len(key) > KEY_LENGTH:
            raise ApiError(
                400, f"Idempotency keys have at most {KEY_LENGTH} characters", "idempotency_error", began=False
            )
        with self._state.lock:
            kept = self._kept.get(key)
            if kept is None or (kept.response is not None and kept.at + KEY_SECONDS <= self._state.now()):
                kept = self._kept[key] = _Kept(asked, self._state.now(), None)
            elif kept.request != asked:
                text = (
                    "Keys for idempotent requests can only be used with the same parameters they were first used with."
                    f" Try using a key other than '{key}' if you meant to execute a different request."
                )
                raise ApiError(400, text, "idempotency_error", began=False)
            elif kept.response is None:
                text = f"There is currently another in-progress request using this Idempotent Key ({key})."
                raise ApiError(409, text, "idempotency_error", began=False, code="idempotency_key_in_use")
            else:
                return kept.response._replace(headers={**kept.response.headers, "Idempotent-Replayed": "true"})
        try:
            response, keep = self._run(request, fault)
            kept.response = response if keep else None
        finally:
            if kept.response is None:
                with self._state.lock:
                    self._kept.pop(key, None)
        return response

    def _run(self, request: Request, fault: faults.Fault) -> tuple[Response, bool]:
        """The answer, and whether a key keeps it."""
        self._wait(self._faults.latency_seconds + (fault.seconds if fault.kind != "late" else 0))
        if fault.kind == "cut_before":
            raise Cut
        if fault.kind == "error_before":
            return _response(500, _FAULT.body()), True
        try:
            with self._state.lock:
                response, keep = _response(200, self._endpoint(request)), True
        except ApiError as error:
            response, keep = _response(error.status, error.body()), error.began
        if fault.kind == "error_after":
            response = _response(500, _FAULT.body())
        return response, keep

    def _endpoint(self, request: Request) -> dict[str, Any]:
        for route in ROUTES:
            ids = route.match(request.method, request.path)
            if ids is not None:
                params = read(route.spec, decode(request.form))
                answer = route.run(self._state, params, *ids)
                return expanded(self._state, answer, params.get("expand", ()))
        text = f"Unrecognized request URL ({request.method}: {request.path})."
        raise ApiError(404, text, began=False)

    def _wait(self, seconds: float) -> None:
        if seconds:
            self._closing.wait(seconds)


_FAULT: Final = ApiError(500, "An unknown error occurred", "api_error")


def _authorize(authorization: str) -> None:
    scheme, _, key = authorization.partition(" ")
    if scheme != "Bearer" or not key:
        raise ApiError(401, "You did not provide an API key.", began=False)
    if not key.startswith(("sk_test_", "rk_test_")):
        raise ApiError(401, "Invalid API Key provided: the sandbox takes sk_test_… only", began=False)


def _response(status: int, body: dict[str, Any]) -> Response:
    headers = {
        "Content-Type": "application/json",
        "Request-Id": f"req_{secrets.token_hex(7)}",
        "Stripe-Version": API_VERSION,
    }
    return Response(status, json.dumps(body).encode(), headers)
