"""The key beside an SQLite database: made once, whole, for its owner alone."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from commcredits.master_key import key_file, master_key
from domain.errors import Invalid

KEY = bytes(range(32))


def test_a_key_that_is_given_wins(tmp_path: Path) -> None:
    assert master_key(KEY, f"sqlite:///{tmp_path}/x.db", has_keys=False) == KEY
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_made_once_beside_the_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    key = master_key(None, url, has_keys=False)
    assert (len(key), master_key(None, url, has_keys=True)) == (32, key)
    assert [path.name for path in tmp_path.iterdir()] == ["x.db.key"]
    assert stat.S_IMODE((tmp_path / "x.db.key").stat().st_mode) == 0o600


def test_of_many_who_make_it_at_once_all_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        for number in range(20):
            url = f"sqlite:///{tmp_path}/{number}.db"
            keys = list(pool.map(lambda _, url=url: master_key(None, url, has_keys=False), range(16)))
            assert len(set(keys)) == 1
    assert len(list(tmp_path.iterdir())) == 20


def test_a_relative_database_has_its_key_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert key_file("sqlite:///x.db") == tmp_path / "x.db.key"
    assert key_file("sqlite:////data/x.db") == Path("/data/x.db.key")
    assert key_file("postgresql://localhost/x") is None


def test_a_key_that_is_gone_is_never_made_anew_over_wrapped_keys(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="put it back") as error:
        master_key(None, f"sqlite:///{tmp_path}/x.db", has_keys=True)
    assert error.value.code == "master_key_missing"
    assert list(tmp_path.iterdir()) == []


def test_postgresql_has_none_of_its_own() -> None:
    with pytest.raises(Invalid) as error:
        master_key(None, "postgresql://localhost/x", has_keys=False)
    assert error.value.code == "master_key_missing"


@pytest.mark.parametrize("content", [b"", b"AAAA", b"\xff", b"not base64 at all"])
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.db.key").write_bytes(content)
    with pytest.raises(Invalid) as error:
        master_key(None, f"sqlite:///{tmp_path}/x.db", has_keys=False)
    assert error.value.code == "invalid_master_key"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    os.mkdir(tmp_path / "x.db.key")
    with pytest.raises(Invalid) as error:
        master_key(None, f"sqlite:///{tmp_path}/x.db", has_keys=False)
    assert error.value.code == "master_key_missing"
