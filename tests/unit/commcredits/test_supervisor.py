"""Workers are started, counted, started anew when they die, and ended together."""

from __future__ import annotations

from pathlib import Path

import pytest

from application.ingest import Tally
from commcredits import supervisor
from commcredits.supervisor import WorkerFailed, supervise
from tests.support.work import Dies, Fails, Reports, Waits


def never() -> bool:
    return False


def test_the_sum_of_what_workers_report_is_told() -> None:
    total = supervise(Reports(3), 2, never)

    assert total == Tally(read=6, accepted=6)


def test_a_worker_that_dies_is_started_anew_until_its_work_is_done(tmp_path: Path) -> None:
    total = supervise(Dies(tmp_path, times=2), 1, never)

    assert total.read == 3


def test_a_worker_that_only_dies_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "MOST_DEATHS", 1)

    with pytest.raises(WorkerFailed) as caught:
        supervise(Dies(tmp_path, times=99, report=False), 1, never)

    assert (caught.value.failure.exit_code, caught.value.failure.code) == (70, "worker_died")


def test_an_error_ends_the_whole_and_the_other_worker_is_asked_to_stop(tmp_path: Path) -> None:
    with pytest.raises(WorkerFailed) as caught:
        supervise(Fails(tmp_path), 2, never)

    failure = caught.value.failure
    assert (failure.exit_code, failure.code, failure.source) == (4, "topic_missing", {"topic": "t"})
    assert (tmp_path / "left").exists()


def test_a_stop_ends_the_workers(tmp_path: Path) -> None:
    supervise(Waits(tmp_path), 2, (tmp_path / "started").exists)

    assert (tmp_path / "left").exists()
