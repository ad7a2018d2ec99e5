"""The shape that the code keeps: sizes, purposes, a pure domain, nothing swallowed, nothing skipped."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "application", "projections", "consumers", "adapters", "api", "console", "commcredits")
OTHERS = ("tests", "benchmarks", "tools", "examples")

MODULE_LINES = 400
FUNCTION_LINES = 70

IMPURE_NAMES = {"float", "open", "input", "print"}
IMPURE_CALLS = {"now", "today", "utcnow", "uuid1", "uuid4", "urandom", "getenv", "monotonic", "time_ns", "read_text"}
WAITING = Path("tests/waiting.py")


def modules(*folders: str) -> list[Path]:
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path.relative_to(ROOT) for path in found)


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse((ROOT / module).read_text(), str(module))


def each(*folders: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("module", modules(*folders), ids=str)


def at(module: Path, nodes: Iterator[ast.AST]) -> list[str]:
    return [f"{module}:{getattr(node, 'lineno', 0)}" for node in nodes]


@each(*PACKAGES, *OTHERS)
def test_a_module_opens_with_its_purpose(module: Path) -> None:
    assert ast.get_docstring(tree(module)), f"{module} has no docstring"


@each(*PACKAGES, *OTHERS)
def test_a_module_fits_in_one_reading(module: Path) -> None:
    assert len((ROOT / module).read_text().splitlines()) <= MODULE_LINES


@each(*PACKAGES, *OTHERS)
def test_a_function_fits_on_one_page(module: Path) -> None:
    functions = (n for n in ast.walk(tree(module)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))

    def lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
        return (function.end_lineno or function.lineno) - function.lineno + 1

    assert at(module, (f for f in functions if lines(f) > FUNCTION_LINES)) == []


@each("domain")
def test_the_domain_has_no_float_no_clock_no_randomness_no_io(module: Path) -> None:
    def impure(node: ast.AST) -> bool:
        match node:
            case ast.Constant(value=float()):
                return True
            case ast.Name(id=name):
                return name in IMPURE_NAMES
            case ast.Call(func=ast.Attribute(attr=name)):
                return name in IMPURE_CALLS
        return False

    assert at(module, filter(impure, ast.walk(tree(module)))) == []


@each(*PACKAGES, *OTHERS)
def test_no_error_is_swallowed(module: Path) -> None:
    def empty(handler: ast.AST) -> bool:
        return isinstance(handler, ast.ExceptHandler) and all(
            isinstance(step, ast.Pass) or (isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant))
            for step in handler.body
        )

    assert at(module, filter(empty, ast.walk(tree(module)))) == []


@each("tests")
def test_no_test_is_skipped_or_expected_to_fail(module: Path) -> None:
    def skips(node: ast.AST) -> bool:
        return isinstance(node, ast.Attribute) and node.attr in {"skip", "skipif", "xfail", "importorskip", "skipTest"}

    assert at(module, filter(skips, ast.walk(tree(module)))) == []


@each("tests")
def test_no_test_sleeps_where_it_can_wait(module: Path) -> None:
    def sleeps(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and "sleep" in ast.unparse(node.func).rpartition(".")[2]

    assert module == WAITING or at(module, filter(sleeps, ast.walk(tree(module)))) == []


def test_tests_mirror_the_tree() -> None:
    known = {*PACKAGES, *OTHERS}
    mirrored = {module.parts[2] for module in modules("tests/unit") if len(module.parts) > 3}

    assert mirrored - known == set()
