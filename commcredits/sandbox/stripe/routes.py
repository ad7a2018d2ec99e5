"""What a route is, lists by pages, and `expand`: what all endpoints share."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from commcredits.sandbox.stripe.errors import wrong
from commcredits.sandbox.stripe.params import EXPAND, Spec
from commcredits.sandbox.stripe.state import Object, State

Run = Callable[..., Object]  # (state, parameters, *ids in the path)
_LIMITS: Final = (1, 100)
_USUAL_LIMIT: Final = 10


class Route(NamedTuple):
    """One endpoint. `path` has `{}` where an id stands."""

    method: str
    path: str
    spec: Spec
    run: Run

    def match(self, method: str, path: str) -> tuple[str, ...] | None:
        """The ids of a path that is this endpoint's."""
        if method != self.method:
            return None
        found = re.fullmatch(self.path.replace("{}", "([^/]+)"), path)
        return None if found is None else found.groups()


def route(method: str, path: str, run: Run, spec: Spec | None = None) -> Route:
    """An endpoint that takes these parameters, and `expand`."""
    return Route(method, path, {**(spec or {}), **EXPAND}, run)


def page(path: str, objects: Iterable[Object], params: dict[str, Any], **equal: str) -> Object:
    """A list, the newest first: of those created within `created` whose fields equal the parameters of these names.

    `equal`: field -> parameter.
    """
    limit = params.get("limit", _USUAL_LIMIT)
    if not _LIMITS[0] <= limit <= _LIMITS[1]:
        raise wrong("This value must be between 1 and 100 (inclusive).", "limit")
    wanted = {field: params[param] for field, param in equal.items() if param in params}
    bounds = params.get("created", {})
    found = [each for each in objects if _within(each["created"], bounds) and wanted.items() <= each.items()]
    ids = [each["id"] for each in found]
    more_before = False
    if (after := params.get("starting_after")) is not None:
        found = found[_place(ids, after, "starting_after") + 1 :]
    elif (before := params.get("ending_before")) is not None:
        found = found[: _place(ids, before, "ending_before")]
        found, more_before = found[-limit:], len(found) > limit
    more = more_before or len(found) > limit
    return {"object": "list", "url": path, "has_more": more, "data": found[:limit]}


def _place(ids: list[str], wanted: str, param: str) -> int:
    if wanted not in ids:
        raise wrong(f"No such object: '{wanted}'", param, "resource_missing")
    return ids.index(wanted)


def _within(at: int, bounds: dict[str, int]) -> bool:
    return (
        bounds.get("gte", at) <= at <= bounds.get("lte", at)
        and bounds.get("gt", at - 1) < at < bounds.get("lt", at + 1)
    )  # fmt: skip


def expanded(state: State, answer: Object, paths: Iterable[str]) -> Object:
    """A copy with the objects in place of the ids that `expand` names."""
    copy: Object = json.loads(json.dumps(answer))
    for path in paths:
        _expand(state, [copy], path.split("."), path)
    return copy


def _expand(state: State, nodes: list[Any], steps: list[str], path: str) -> None:
    for node in nodes:
        if not isinstance(node, dict) or steps[0] not in node:
            raise wrong(f"This property cannot be expanded ({path}).", "expand")
        value = node[steps[0]]
        if isinstance(value, str):
            value = node[steps[0]] = json.loads(json.dumps(state.find(value)))
        if len(steps) > 1 and value is not None:
            _expand(state, value if isinstance(value, list) else [value], steps[1:], path)
