"""What is installed is what is written: packages, locks, and an image that has only what production needs."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.structure.code import OTHERS, PACKAGES, ROOT, modules

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PINNED = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)

# Imports modules where the named ones cannot be imported
IMPORT_ALL = """\
import importlib, sys
absent, modules = (set(words.split()) for words in sys.argv[1:])
class Closed:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"{name} is not there in production")
sys.meta_path.insert(0, Closed())
for module in sorted(modules):
    importlib.import_module(module)
"""


def pinned(lock: str) -> dict[str, str]:
    return {name.lower().replace("_", "-"): version for name, version in PINNED.findall((ROOT / lock).read_text())}


def package_names() -> list[str]:
    return [name for name in PACKAGES if (ROOT / name).is_dir()]


def test_every_package_is_installed_and_under_contract() -> None:
    assert sorted(PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == sorted(package_names())
    assert sorted(PYPROJECT["tool"]["importlinter"]["root_packages"]) == sorted(package_names())


def test_the_tree_has_no_folder_of_code_that_no_rule_sees() -> None:
    folders = {path.name for path in ROOT.iterdir() if any(path.glob("*.py")) and not path.name.startswith(".")}

    assert folders - {*PACKAGES, *OTHERS} == set()


def test_a_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)

    [wheel] = tmp_path.glob("*.whl")
    files = {path for name in package_names() for path in (ROOT / name).rglob("*.*") if "__pycache__" not in path.parts}
    assert {str(path.relative_to(ROOT)) for path in files} - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_locks_agree_and_every_pin_has_its_hash() -> None:
    everything = pinned("requirements.lock")
    for lock in ("requirements-runtime.lock", "bootstrap.lock"):
        assert {name: everything.get(name, version) for name, version in pinned(lock).items()} == pinned(lock)
    for lock in ("requirements.lock", "requirements-runtime.lock", "bootstrap.lock"):
        text = (ROOT / lock).read_text()
        assert "://" not in text
        assert len(re.findall(r"==\S+.*\\\n +--hash=sha256:", text)) == len(pinned(lock))


def test_production_needs_no_test_requirement() -> None:
    locked = pinned("requirements-runtime.lock").keys()
    owners = packages_distributions().items()
    absent = {
        name for name, dists in owners if not {d.lower().replace("_", "-") for d in dists} & {*locked, "commcredits"}
    }
    program = [m for m in modules(*package_names()) if "sandbox" not in m.parts and m.stem != "__main__"]
    names = {".".join(m.with_suffix("").parts).removesuffix(".__init__") for m in program}

    assert {"pytest", "jgo", "hypothesis"} <= absent
    command = [sys.executable, "-W", "ignore", "-c", IMPORT_ALL, " ".join(absent), " ".join(names)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
