"""The compose file's settings for the broker, tried on a real broker of the same version."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from kafka import KafkaConsumer
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from commcredits.sandbox.kafka import KafkaServer
from commcredits.sandbox.process import free_ports
from commcredits.sandbox.topics import create_topics

ROOT = Path(__file__).parents[2]
BROKER: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["broker"]


def settings_of_compose(server: KafkaServer, outside: int) -> dict[str, str]:
    """The broker's settings as the image makes them of KAFKA_…, on this machine's ports and folder."""
    ports = {"9092": server.port, "9093": server.controller_port, "9094": outside}
    hosts = {"/var/lib/kafka/data": str(server.data), "@broker:": "@127.0.0.1:", "//broker:": "//127.0.0.1:"}
    made = {}
    for name, value in BROKER["environment"].items():
        text = re.sub(r":(909\d)\b", lambda port: f":{ports[port[1]]}", str(value))
        for there, here in hosts.items():
            text = text.replace(there, here)
        if name.startswith("KAFKA_"):
            made[name.removeprefix("KAFKA_").lower().replace("_", ".")] = text
    return made


def test_the_broker_is_of_the_version_that_the_tests_use() -> None:
    lock = (ROOT / "commcredits" / "sandbox" / "kafka-jars.lock").read_text()
    [version] = re.findall(r"kafka_2\.13:(\S+)", lock)

    assert BROKER["image"] == f"apache/kafka:{version}"


def test_a_broker_runs_with_the_settings_and_serves_both_listeners(own_kafka: Callable[..., KafkaServer]) -> None:
    [outside] = free_ports(1)
    server = own_kafka(start=False)
    wanted = settings_of_compose(server, outside)
    server.properties = "".join(f"{name}={value}\n" for name, value in wanted.items())
    server.start()

    create_topics(server.bootstrap, ["t"], 3)
    consumer = KafkaConsumer(bootstrap_servers=f"localhost:{outside}")
    admin = KafkaAdminClient(bootstrap_servers=server.bootstrap)
    try:
        assert consumer.partitions_for_topic("t") == {0, 1, 2}
        resource = ConfigResource(ConfigResourceType.BROKER, "1", configs=None)
        known = admin.describe_configs([resource], config_filter="all")["broker"]["1"]
    finally:
        consumer.close()
        admin.close()
    assert {name: known[name]["value"] for name in wanted} == wanted
