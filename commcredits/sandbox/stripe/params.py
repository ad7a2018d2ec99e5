"""Parameters as Stripe takes them, `a[b][0]=c`, into nested values, and checked as Stripe does.

A `Spec` names the parameters of an endpoint; a name that ends in `!` must be given. Each reader takes the parameter's
name and its raw value (text, list or dictionary) and answers the value, or raises ApiError 400.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from commcredits.sandbox.stripe.errors import wrong

Reader = Callable[[str, Any], Any]
Spec = Mapping[str, Reader]
_PART = re.compile(r"\[([^\[\]]*)\]")


def decode(form: str) -> dict[str, Any]:
    """A query or a body as a nested dictionary; what is numbered is a list."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        root = name.partition("[")[0]
        path = [root, *_PART.findall(name[len(root) :])]
        node = tree
        for place, part in enumerate(path[:-1]):
            node = node.setdefault(part or str(len(node)), {})
            if not isinstance(node, dict):
                raise wrong(f"Invalid hash: {'.'.join(path[: place + 1])}", root)
        node[path[-1] or str(len(node))] = value
    return {name: _listed(value) for name, value in tree.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(each) for name, each in value.items()}
    return list(inner.values()) if inner and all(name.isdigit() for name in inner) else inner


def read(spec: Spec, raw: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """The parameters that were given. Raises ApiError for an unknown, a missing or a wrong one."""
    readers = {name.rstrip("!"): reader for name, reader in spec.items()}
    for name in raw:
        if name not in readers:
            shown = _shown(within, name)
            raise wrong(f"Received unknown parameter: {shown}", shown, "parameter_unknown")
    for name in spec:
        if name.endswith("!") and name[:-1] not in raw:
            shown = _shown(within, name[:-1])
            raise wrong(f"Missing required param: {shown}.", shown, "parameter_missing")
    return {name: readers[name](_shown(within, name), value) for name, value in raw.items()}


def _shown(within: str, name: str) -> str:
    return f"{within}[{name}]" if within else name


def text(name: str, raw: Any) -> str:
    """Some text."""
    if not isinstance(raw, str):
        raise wrong(f"Invalid string: {raw}", name)
    if not raw:
        raise wrong(f"You passed an empty string for '{name}'.", name, "parameter_invalid_empty")
    return raw


def unsettable(name: str, raw: Any) -> str:
    """Some text, or an empty one, which unsets."""
    return "" if raw == "" else text(name, raw)


def integer(name: str, raw: Any) -> int:
    """A whole number."""
    if not isinstance(raw, str) or not re.fullmatch(r"-?[0-9]{1,18}", raw, re.ASCII):
        raise wrong(f"Invalid integer: {raw}", name, "parameter_invalid_integer")
    return int(raw)


def boolean(name: str, raw: Any) -> bool:
    """`true` or `false`."""
    if raw not in ("true", "false"):
        raise wrong(f"Invalid boolean: {raw}", name)
    return bool(raw == "true")


def off_session(name: str, raw: Any) -> bool:
    """A boolean, or why the customer is not there."""
    return True if raw in ("one_off", "recurring") else boolean(name, raw)


def one_of(*choices: str) -> Reader:
    """One of a few words."""

    def checked(name: str, raw: Any) -> str:
        if raw not in choices:
            raise wrong(f"Invalid {name}: must be one of {', '.join(choices)}", name)
        return str(raw)

    return checked


def metadata(name: str, raw: Any) -> dict[str, str]:
    """Up to 50 texts by their names."""
    if raw == "":
        return {}
    if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
        raise wrong("Invalid hash: metadata takes texts by their names", name)
    if len(raw) > 50 or any(len(key) > 40 or len(value) > 500 for key, value in raw.items()):
        raise wrong("Metadata has at most 50 keys of 40 characters and values of 500 characters", name)
    return raw


def many(reader: Reader) -> Reader:
    """A list."""

    def checked(name: str, raw: Any) -> list[Any]:
        if not isinstance(raw, list):
            raise wrong(f"Invalid array: {raw}", name)
        return [reader(f"{name}[{place}]", each) for place, each in enumerate(raw)]

    return checked


def fields(spec: Spec) -> Reader:
    """A nested hash."""

    def checked(name: str, raw: Any) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise wrong(f"Invalid hash: {raw}", name)
        return read(spec, raw, name)

    return checked


def span(name: str, raw: Any) -> dict[str, int]:
    """A time, or its bounds `gt`, `gte`, `lt`, `lte`."""
    if isinstance(raw, str):
        at = integer(name, raw)
        return {"gte": at, "lte": at}
    bounds: dict[str, int] = fields(dict.fromkeys(("gt", "gte", "lt", "lte"), integer))(name, raw)
    return bounds


EXPAND: Spec = {"expand": many(text)}
PAGE: Spec = {"limit": integer, "starting_after": text, "ending_before": text, "created": span, **EXPAND}
