"""One API request: authorized, done once per idempotency key, answered, or spoiled by a fault.

The first answer under a key is kept with its status, 500s too, for 24 hours. Other parameters under it: 400
`idempotency_error`; still running: 409. A request refused as invalid before it began is not kept.

A key is of test mode or of live mode, and what was made in one is not there for the other. Live mode is for trying that
out: it has the API alone, no pages, no controls, and no card that pays.
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
from commcredits.sandbox.stripe.cards import test_card
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
TEST_KEYS: Final = ("sk_test_", "rk_test_")
LIVE_KEY: Final = "sk_live_sandbox"  # none of Stripe's own is taken


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
    """The endpoints under `/v1`. `state`: of test mode."""

    def __init__(self, state: State, coming: faults.Faults, closing: threading.Event) -> None:
        self._state, self._live, self._faults, self._closing = state, State(live=True), coming, closing
        self._kept: dict[tuple[bool, str], _Kept] = {}  # by mode and key
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
            state = self._live if _is_live(request.authorization) else self._state
            refused = faults.refusal(fault.kind)
            if refused is not None:
                self._wait(self._faults.latency_seconds)
                raise refused
            keyed = request.method == "POST" and request.key
            response = self._once(state, request, fault) if keyed else self._run(state, request, fault)[0]
        except ApiError as error:
            response = _response(error.status, error.body())
        if fault.kind == "late":
            self._wait(fault.seconds)
        if fault.kind == "cut_after":
            raise Cut
        return response

    def _once(self, state: State, request: Request, fault: faults.Fault) -> Response:
        key, asked = request.key, (request.method, request.path, request.form)
        name = (state.live, key)
        if len(key) > KEY_LENGTH:
            raise ApiError(
                400, f"Idempotency keys have at most {KEY_LENGTH} characters", "idempotency_error", began=False
            )
        with self._state.lock:
            kept = self._kept.get(name)
            if kept is None or (kept.response is not None and kept.at + KEY_SECONDS <= self._state.now()):
                kept = self._kept[name] = _Kept(asked, self._state.now(), None)
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
            response, keep = self._run(state, request, fault)
            kept.response = response if keep else None
        finally:
            if kept.response is None:
                with self._state.lock:
                    self._kept.pop(name, None)
        return response

    def _run(self, state: State, request: Request, fault: faults.Fault) -> tuple[Response, bool]:
        """The answer, and whether a key keeps it."""
        self._wait(self._faults.latency_seconds + (fault.seconds if fault.kind != "late" else 0))
        if fault.kind == "cut_before":
            raise Cut
        if fault.kind == "error_before":
            return _response(500, _FAULT.body()), True
        try:
            with state.lock:
                response, keep = _response(200, self._endpoint(state, request)), True
        except ApiError as error:
            response, keep = _response(error.status, error.body()), error.began
        if fault.kind == "error_after":
            response = _response(500, _FAULT.body())
        return response, keep

    def _endpoint(self, state: State, request: Request) -> dict[str, Any]:
        for route in ROUTES:
            ids = route.match(request.method, request.path)
            if ids is not None:
                params = read(route.spec, decode(request.form))
                self._check_mode(state, ids, params)
                answer = route.run(state, params, *ids)
                return expanded(state, answer, params.get("expand", ()))
        text = f"Unrecognized request URL ({request.method}: {request.path})."
        raise ApiError(404, text, began=False)

    def _check_mode(self, state: State, ids: tuple[str, ...], params: Mapping[str, Any]) -> None:
        """Raises ApiError for an object of the other mode."""
        other = self._state if state.live else self._live
        named = [("id", each, 404) for each in ids] + [(name, each, 400) for name, each in params.items()]
        for param, value, status in named:
            if not isinstance(value, str):
                continue
            found = other.find(value)
            kind = "PaymentMethod" if state.live and test_card(value) else found and found["object"]
            if kind:
                there, used = ("test", "live") if state.live else ("live", "test")
                text = (
                    f"No such {kind}: '{value}'; a similar object exists in {there} mode, but a {used} mode key was"
                    " used to make this request."
                )
                raise ApiError(status, text, began=False, code="resource_missing", param=param)

    def _wait(self, seconds: float) -> None:
        if seconds:
            self._closing.wait(seconds)


_FAULT: Final = ApiError(500, "An unknown error occurred", "api_error")


def _is_live(authorization: str) -> bool:
    """Whether the key is of live mode. Raises ApiError 401 where it is none."""
    scheme, _, key = authorization.partition(" ")
    if scheme != "Bearer" or not key:
        raise ApiError(401, "You did not provide an API key.", began=False)
    if key.startswith(TEST_KEYS):
        return False
    if key.startswith(LIVE_KEY):
        return True
    text = f"Invalid API Key provided: the sandbox takes {TEST_KEYS[0]}…, and {LIVE_KEY} for live mode"
    raise ApiError(401, text, began=False)


def _response(status: int, body: dict[str, Any]) -> Response:
    headers = {
        "Content-Type": "application/json",
        "Request-Id": f"req_{secrets.token_hex(7)}",
        "Stripe-Version": API_VERSION,
    }
    return Response(status, json.dumps(body).encode(), headers)
