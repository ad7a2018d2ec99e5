"""A cluster that wants to know who comes: passwords over TLS, client certificates; and what is said when it says no."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from commcredits.sandbox.kafka import KafkaServer
from commcredits.sandbox.process import free_ports
from tests.support.certificates import Authority
from tests.support.consumers import World
from tests.support.stream import Stream

PROPERTIES = """
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port},\\
  PASSWORD://127.0.0.1:{password_port},CERTIFICATE://127.0.0.1:{certificate_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},\\
  PASSWORD://127.0.0.1:{password_port},CERTIFICATE://127.0.0.1:{certificate_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PASSWORD:SASL_SSL,CERTIFICATE:SSL
sasl.enabled.mechanisms=PLAIN
listener.name.password.plain.sasl.jaas.config=\\
  org.apache.kafka.common.security.plain.PlainLoginModule required user_ana="s3cret";
ssl.keystore.type=PEM
ssl.keystore.location={server}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
listener.name.certificate.ssl.client.auth=required
"""


def test_passwords_and_certificates_over_tls(
    make_world: Callable[..., World], sqlite_url: str, own_kafka: Callable[..., KafkaServer], tmp_path: Path
) -> None:
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    server = tmp_path / "server.pem"
    server.write_bytes(b"".join(file.read_bytes() for file in reversed(authority.issue("server"))))
    client, client_key = authority.issue("client")
    password_port, certificate_port = free_ports(2)
    broker = own_kafka(start=False)
    broker.properties = PROPERTIES.format(
        port=broker.port,
        controller_port=broker.controller_port,
        password_port=password_port,
        certificate_port=certificate_port,
        server=server,
        authority=authority.file,
    )
    broker.start()
    stream = Stream(seed=61)
    world = make_world(sqlite_url, broker.bootstrap, stream)
    password = {
        "kafka_bootstrap": f"127.0.0.1:{password_port}",
        "kafka_security_protocol": "SASL_SSL",
        "kafka_sasl_mechanism": "PLAIN",
        "kafka_username": "ana",
        "kafka_password": "s3cret",
        "kafka_ca_file": str(authority.file),
        "kafka_patience": "1s",
    }
    certificate = {
        "kafka_bootstrap": f"127.0.0.1:{certificate_port}",
        "kafka_security_protocol": "SSL",
        "kafka_ca_file": str(authority.file),
        "kafka_cert_file": str(client),
        "kafka_key_file": str(client_key),
        "kafka_patience": "1s",
    }

    world.publish(stream.messages(100))
    world.finish(**password)
    world.publish(stream.messages(100))
    world.finish(**certificate)
    world.check(stream)

    for wrong in (
        password | {"kafka_password": "wrong"},
        password | {"kafka_ca_file": str(stranger.file)},
        {name: text for name, text in certificate.items() if name not in ("kafka_cert_file", "kafka_key_file")},
    ):
        code, document = world.consume("--once", **wrong).result()
        assert code == 4
        assert document["error"]["code"] in ("broker_refused", "broker_unavailable")
        assert "credentials" in document["error"]["message"] or "Authentication" in document["error"]["message"]
