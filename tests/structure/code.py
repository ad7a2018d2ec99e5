"""The project's own code as the structure tests see it: which modules there are, and their syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "application", "projections", "consumers", "adapters", "api", "console", "commcredits")
OTHERS = ("tests", "benchmarks", "tools", "examples")


@cache
def modules(*folders: str) -> tuple[Path, ...]:
    """The Python files of `folders` (all of the project's by default), relative to its root."""
    found = (path for folder in folders or PACKAGES + OTHERS for path in (ROOT / folder).rglob("*.py"))
    return tuple(sorted(path.relative_to(ROOT) for path in found))


@cache
def source(module: Path) -> str:
    return (ROOT / module).read_text(encoding="utf-8")


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse(source(module), str(module))


def places(rule_broken: Callable[[ast.AST], bool], *folders: str) -> list[str]:
    """Where in `folders` a node breaks a rule, as file:line."""
    return list(_places(rule_broken, folders))


def _places(rule_broken: Callable[[ast.AST], bool], folders: tuple[str, ...]) -> Iterator[str]:
    for module in modules(*folders):
        for node in ast.walk(tree(module)):
            if rule_broken(node):
                yield f"{module}:{getattr(node, 'lineno', 1)}"
