"""The shape that the code keeps: sizes, purposes, a pure domain, nothing swallowed, nothing skipped."""

from __future__ import annotations

import ast

from tests.structure.code import OTHERS, PACKAGES, modules, places, source, tree

MODULE_LINES = 400
FUNCTION_LINES = 70
IMPURE_NAMES = {"float", "open", "input", "print"}
IMPURE_CALLS = {"now", "today", "utcnow", "uuid1", "uuid4", "urandom", "getenv", "monotonic", "time_ns", "read_text"}
SKIPS = {"skip", "skipif", "xfail", "importorskip", "skipTest"}


def test_a_module_opens_with_its_purpose() -> None:
    assert [str(module) for module in modules() if not ast.get_docstring(tree(module))] == []


def test_a_module_fits_in_one_reading() -> None:
    assert [str(module) for module in modules() if len(source(module).splitlines()) > MODULE_LINES] == []


def test_a_function_fits_on_one_page() -> None:
    def too_long(node: ast.AST) -> bool:
        match node:
            case ast.FunctionDef(lineno=first, end_lineno=last) | ast.AsyncFunctionDef(lineno=first, end_lineno=last):
                return (last or first) - first >= FUNCTION_LINES
        return False

    assert places(too_long) == []


def test_the_domain_has_no_float_no_clock_no_randomness_no_io() -> None:
    def impure(node: ast.AST) -> bool:
        match node:
            case ast.Constant(value=float()):
                return True
            case ast.Name(id=name):
                return name in IMPURE_NAMES
            case ast.Call(func=ast.Attribute(attr=name)):
                return name in IMPURE_CALLS
        return False

    assert places(impure, "domain") == []


def test_no_error_is_swallowed() -> None:
    def says_nothing(step: ast.stmt) -> bool:
        return isinstance(step, ast.Pass) or (isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant))

    def swallows(node: ast.AST) -> bool:
        return isinstance(node, ast.ExceptHandler) and all(map(says_nothing, node.body))

    assert places(swallows) == []


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    assert places(lambda node: isinstance(node, ast.Attribute) and node.attr in SKIPS, "tests") == []


def test_no_test_sleeps_where_it_can_wait() -> None:
    def sleeps(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "sleep"

    assert [place for place in places(sleeps, "tests") if not place.startswith("tests/support/waiting.py:")] == []


def test_tests_mirror_the_tree() -> None:
    mirrored = {module.parts[2] for module in modules("tests/unit") if len(module.parts) > 3}

    assert mirrored - {*PACKAGES, *OTHERS} == set()
