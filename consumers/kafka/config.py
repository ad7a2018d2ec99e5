"""How to reach the Kafka cluster, and what a consumer is handed to work with."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from application.accounts import Accounts
    from application.ingest import Ingest
    from application.ports import Store
    from domain.commands import By

RECONNECT_MAX_MS: Final = 500  # kafka-python waits up to 30 s by default: a broker that is back would idle
REQUEST_TIMEOUT_MS: Final = 10_000
BOOTSTRAP_MS: Final = 5_000  # one try; how often it is tried is a matter of patience


class Engine(Protocol):
    """What stands behind a consumer: the parts of its process, each made when first asked for."""

    @property
    def store(self) -> "Store": ...
    @property
    def accounts(self) -> "Accounts": ...
    @property
    def ingest(self) -> "Ingest": ...
    def by(self, reason: str = "") -> "By":
        """Who runs this process, now."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaConfig:
    """Where usage comes from. `bootstrap` names brokers, `host:port` each, separated by commas."""

    bootstrap: str
    group: str = "commcredits"
    topic_calls: str = "call-usage"
    topic_conferences: str = "conference-usage"
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str | None = None
    username: str | None = None
    password: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    batch_size: int = 10_000  # the most messages of one commit
    session_seconds: int = 6  # a member that is silent for longer is taken for dead
    broker_patience_seconds: int = 60
    store_patience_seconds: int = 60
    once: bool = False  # end where the topics end at the start
    accept_gap: bool = False

    @property
    def topics(self) -> tuple[str, str]:
        """Both topics, calls first."""
        return self.topic_calls, self.topic_conferences

    def connection(self) -> dict[str, Any]:
        """The arguments of kafka-python's clients that say how to connect."""
        return {
            "bootstrap_servers": self.bootstrap.split(","),
            "client_id": "commcredits",
            "security_protocol": self.security_protocol,
            "sasl_mechanism": self.sasl_mechanism,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
            "ssl_cafile": self.ca_file,
            "ssl_certfile": self.cert_file,
            "ssl_keyfile": self.key_file,
            "reconnect_backoff_max_ms": RECONNECT_MAX_MS,
            "request_timeout_ms": REQUEST_TIMEOUT_MS,
            "bootstrap_timeout_ms": min(BOOTSTRAP_MS, 1_000 * self.broker_patience_seconds),
        }
