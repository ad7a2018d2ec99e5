"""The documents agree with the program: references as it makes them, every code of an error, every link."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.structure.code import PACKAGES, ROOT, modules, tree
from tools.make_reference import FILES, FOLDER

ERRORS = {
    "Refused",
    "NotFound",
    "Invalid",
    "WrongUse",
    "RuleRefused",
    "FileRefused",
    "Refusal",
    "refusal",
    "Failure",
    "__init__",  # of an error's own base
}
CODE = re.compile(r"[a-z]+(?:_[a-z]+)*")
DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/**/*.md", "domain/*.md", "examples/*.md")
    for path in ROOT.glob(pattern)
)


@pytest.mark.parametrize("name", FILES)
def test_a_reference_is_what_the_program_says(name: str) -> None:
    written = (FOLDER / name).read_text(encoding="utf-8")
    assert written == FILES[name]().rstrip("\n") + "\n", "run `python tools/make_reference.py`"


def test_every_code_of_an_error_is_in_the_reference() -> None:
    assert sorted(_raised() - _documented()) == []


def test_no_code_is_in_the_reference_that_the_program_does_not_have() -> None:
    words = {
        node.value
        for module in modules(*PACKAGES)
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    parts = {
        "invalid_pricing",
        "invalid_plan_pool_by",
        "invalid_dialout_pool_by",
        "invalid_after_dialout_pool",
        "invalid_when_empty",
    }
    assert sorted(_documented() - words - parts) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_link_leads_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / document).read_text(encoding="utf-8"), flags=re.DOTALL)
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    folder = (ROOT / document).parent
    assert [link for link in links if link and "://" not in link and not (folder / link).exists()] == []


def _raised() -> set[str]:
    """Codes that stand in the code: the first text among the first two arguments of an error, or a class's `code`."""
    return {code for module in modules(*PACKAGES) for node in ast.walk(tree(module)) for code in _codes(node)}


def _codes(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments) if name in ERRORS:
            texts = [each.value for each in arguments[:2] if isinstance(each, ast.Constant)]
            yield from [text for text in texts if isinstance(text, str) and CODE.fullmatch(text)][:1]
        case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))) if code:
            yield code


def _documented() -> set[str]:
    """The codes in the first cell of the tables of errors.md."""
    text = (FOLDER / "errors.md").read_text(encoding="utf-8")
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {code for cell in cells for code in re.findall(r"`(\w+)`", cell)} | {"internal_error"}
