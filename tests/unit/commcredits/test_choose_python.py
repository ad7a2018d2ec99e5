"""`make setup` takes the first Python that will do, and another only where it is much faster."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[3] / "tools" / "choose_python.py"


def choose(folder: Path, **pythons: str) -> str:
    """With these programs alone on the PATH, each named as a Python and answering the probe as given."""
    for name, answer in pythons.items():
        program = folder / name.replace("_", ".")
        program.write_text(f"#!/bin/sh\n{answer}\n")
        program.chmod(0o755)
    done = subprocess.run([sys.executable, TOOL], env={"PATH": str(folder)}, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_little_faster_is_no_reason(tmp_path: Path) -> None:
    found = choose(tmp_path, python3="echo 1e-9 python3", python3_12="echo 0.95e-9 python3.12")
    assert found == f"{tmp_path}/python3"


def test_much_faster_is_one(tmp_path: Path) -> None:
    found = choose(tmp_path, python3="echo 1e-9 python3", python3_12="echo 0.7e-9 python3.12")
    assert found == f"{tmp_path}/python3.12"


@pytest.mark.parametrize("answer", ["exit 1", "echo", "echo slow", "kill -9 $$"])
def test_what_is_too_old_or_broken_is_passed_over(tmp_path: Path, answer: str) -> None:
    assert choose(tmp_path, python3=answer, python3_11="echo 1e-9 python3.11") == f"{tmp_path}/python3.11"


def test_the_one_that_runs_this_would_do(tmp_path: Path) -> None:
    tmp_path.joinpath("python3").symlink_to(sys._base_executable)  # type: ignore[attr-defined]
    found = choose(tmp_path)
    subprocess.run([found, "-c", "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"], check=True)
