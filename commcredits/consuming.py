"""Composes the Kafka consumer: settings -> one process, or several under a supervisor."""

import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from commcredits.bootstrap import Engine
from commcredits.settings import SQLITE, Settings
from commcredits.stopping import StopSignal
from commcredits.supervisor import supervise
from consumers.kafka.config import KafkaConfig
from domain.errors import Invalid

if TYPE_CHECKING:
    from application.ingest import Tally


def consume(settings: Settings, processes: int = 1, once: bool = False, accept_gap: bool = False) -> "Tally":
    """Consume until SIGTERM or SIGINT; with `once`, until the ends that the topics have now.

    Raises Invalid `kafka_missing`, `processes_need_postgresql`; what consumers.kafka.loop raises, and WorkerFailed.
    """
    if processes > 1 and settings.store.startswith(SQLITE):
        text = "on SQLite one process writes at a time: --processes above 1 needs PostgreSQL"
        raise Invalid("processes_need_postgresql", text, "processes")
    work = Consuming(settings, kafka_config(settings, once, accept_gap))
    with StopSignal() as stop:
        if processes > 1:
            return supervise(work, processes, stop)
        return work(stop, lambda tally: None)


class Consuming:
    """What one process does. Can be pickled: a worker makes parts of its own."""

    def __init__(self, settings: Settings, config: KafkaConfig) -> None:
        self.settings, self.config = settings, config

    def __call__(self, stop: Callable[[], bool], report: "Callable[[Tally], None]") -> "Tally":
        from consumers.kafka.loop import run_consumer

        log_to_stderr()
        return run_consumer(self.config, Engine(self.settings), stop, report)


def kafka_config(settings: Settings, once: bool = False, accept_gap: bool = False) -> KafkaConfig:
    """How to reach Kafka. Raises Invalid `kafka_missing` where no broker is named."""
    if settings.kafka_bootstrap is None:
        text = "no broker is named: set COMMCREDITS_KAFKA_BOOTSTRAP to host:port"
        raise Invalid("kafka_missing", text, "kafka_bootstrap")
    files = (settings.kafka_ca_file, settings.kafka_cert_file, settings.kafka_key_file)
    ca_file, cert_file, key_file = (None if file is None else str(file) for file in files)
    return KafkaConfig(
        bootstrap=settings.kafka_bootstrap,
        group=settings.kafka_group,
        topic_calls=settings.topic_calls,
        topic_conferences=settings.topic_conferences,
        security_protocol=settings.kafka_security_protocol,
        sasl_mechanism=settings.kafka_sasl_mechanism,
        username=settings.kafka_username,
        password=settings.kafka_password,
        ca_file=ca_file,
        cert_file=cert_file,
        key_file=key_file,
        batch_size=settings.batch_size,
        session_seconds=settings.kafka_session,
        broker_patience_seconds=settings.kafka_patience,
        store_patience_seconds=settings.store_patience,
        once=once,
        accept_gap=accept_gap,
    )


def log_to_stderr() -> None:
    """What the consumer has to tell; kafka-python's own lines, many of which are no trouble at all, only on request."""
    logging.basicConfig(stream=sys.stderr, format="commcredits consume [%(process)d]: %(message)s")
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
