"""The README's quick starts are run as they stand, and say what it shows; see tests/support/terminal.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.conftest import Topics
from tests.support.terminal import BLOCK, ROOT, Terminal


def test_the_quick_starts_do_what_they_show(tmp_path: Path, kafka: str, topics: Callable[[int], Topics]) -> None:
    calls, conferences = topics(2)
    terminal = Terminal(tmp_path, {"COMMCREDITS_TOPIC_CALLS": calls, "COMMCREDITS_TOPIC_CONFERENCES": conferences})
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    readme = readme.replace("localhost:9092", kafka).replace('"call-usage"', f'"{calls}"')
    scripts = []
    for language, text in BLOCK.findall(readme):
        if language == "python":
            scripts.append(terminal.python(text))
        else:
            terminal.follow(text)
    assert scripts == ["", "98.6509\n", "38680 0.4290\n3861 0.3150\n38641 0.1800\n"]
