"""Events: what happened, as webhooks tell it and as it can be asked for."""

from __future__ import annotations

from typing import Final

from commcredits.sandbox.stripe.params import PAGE, many, text
from commcredits.sandbox.stripe.routes import Route, page, route
from commcredits.sandbox.stripe.state import Object, State


def read_event(state: State, params: Object, event_id: str) -> Object:
    return state.get("event", event_id)


def list_events(state: State, params: Object) -> Object:
    events = state.newest("event")
    if "types" in params:
        events = (event for event in events if event["type"] in params["types"])
    return page("/v1/events", events, params, type="type")


ROUTES: Final[tuple[Route, ...]] = (
    route("GET", "/v1/events", list_events, {"type": text, "types": many(text), **PAGE}),
    route("GET", "/v1/events/{}", read_event),
)
