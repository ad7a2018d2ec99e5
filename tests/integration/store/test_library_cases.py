"""The library's own test cases for recorders, from its wheel, on ours: all of them, on both stores."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from unittest import TestCase

import pytest
from eventsourcing.persistence import AggregateRecorder, InfrastructureFactory, ProcessRecorder
from eventsourcing.tests import persistence as library

from adapters.store import postgres_store, sqlite_store
from tests.support.stores import postgres_environment, sqlite_environment
from tests.support.waiting import wait_until


class OnSQLite(TestCase):
    """Builds recorders through the library's factory, as whoever configures the library does."""

    @pytest.fixture(autouse=True)
    def _factory(self, sqlite_url: str) -> Iterator[None]:
        yield from self._construct({**sqlite_store.ENVIRONMENT, **sqlite_environment(sqlite_url)})

    def _construct(self, environment: dict[str, str]) -> Iterator[None]:
        threads = threading.active_count()
        self.factory: InfrastructureFactory[Any] = InfrastructureFactory.construct({**environment, "CREATE_TABLE": "y"})
        yield
        # the library's cases leave readers behind, which end in their own time
        wait_until(lambda: threading.active_count() <= threads, what="the case's threads end")
        self.factory.close()


class OnPostgres(OnSQLite):
    @pytest.fixture(autouse=True)
    def _factory(self, postgres: str) -> Iterator[None]:
        yield from self._construct({**postgres_store.ENVIRONMENT, **postgres_environment(postgres)})


class WritesEvents(OnSQLite):
    def create_recorder(self) -> ProcessRecorder:
        return self.factory.process_recorder()


class WritesSnapshots(OnSQLite):
    def create_recorder(self) -> AggregateRecorder:
        return self.factory.aggregate_recorder("snapshots")


class TestSQLiteSnapshots(WritesSnapshots, library.AggregateRecorderTestCase): ...


class TestSQLiteApplication(WritesEvents, library.ApplicationRecorderTestCase[Any]): ...


class TestSQLiteTracking(WritesEvents, library.TrackingRecorderTestCase): ...


class TestSQLiteProcess(WritesEvents, library.ProcessRecorderTestCase): ...


class TestSQLiteInterleaving(WritesEvents, library.NonInterleavingNotificationIDsBaseCase):
    insert_num = 10_000


class TestPostgresSnapshots(WritesSnapshots, OnPostgres, library.AggregateRecorderTestCase): ...


class TestPostgresApplication(WritesEvents, OnPostgres, library.ApplicationRecorderTestCase[Any]):
    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestPostgresTracking(WritesEvents, OnPostgres, library.TrackingRecorderTestCase): ...


class TestPostgresProcess(WritesEvents, OnPostgres, library.ProcessRecorderTestCase): ...


class TestPostgresInterleaving(WritesEvents, OnPostgres, library.NonInterleavingNotificationIDsBaseCase):
    insert_num = 10_000
