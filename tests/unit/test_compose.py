"""The Dockerfile and the compose file say what the program understands: no image can be pulled here to try them."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from commcredits.cli.program import commands_of
from commcredits.settings import FILE_SUFFIX, PREFIX, SETTINGS, Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "commcredits"}
DOCKERFILE = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text()).splitlines()
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DEFAULTS = Settings()
SECRET = re.compile("PASSWORD|KEY|SECRET|TOKEN|STORE")
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)")


def instructions(word: str) -> list[str]:
    """What stands after a Dockerfile's `word`, in order."""
    return [line.removeprefix(word).strip() for line in DOCKERFILE if line.startswith(f"{word} ")]


def environment() -> list[tuple[str, str, str]]:
    """Each service's variables, as (service, name, value)."""
    return [(s, name, str(v)) for s, service in SERVICES.items() for name, v in service.get("environment", {}).items()]


def test_every_part_is_there() -> None:
    assert {"broker", "postgres", "migrate", "consume", "project"} <= SERVICES.keys()
    assert OURS.keys() == {"migrate", "consume", "project", "work", "serve"}


def test_there_is_one_network_and_every_volume_is_declared() -> None:
    mounted = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}

    assert {name for service in SERVICES.values() for name in service["networks"]} == COMPOSE["networks"].keys()
    assert len(COMPOSE["networks"]) == 1
    assert mounted == COMPOSE["volumes"].keys()


def test_what_runs_on_has_a_health_check_and_what_waits_can() -> None:
    for name, service in SERVICES.items():
        assert ("healthcheck" in service) == (service["restart"] == "unless-stopped"), name
        for other, how in service.get("depends_on", {}).items():
            once = SERVICES[other]["restart"] == "on-failure"
            assert how["condition"] == ("service_completed_successfully" if once else "service_healthy"), name


def test_no_secret_stands_in_the_file() -> None:
    for service, name, value in environment():
        if SECRET.search(name):
            secret = value.removeprefix("/run/secrets/")
            assert name.endswith("_FILE"), f"{service}: {name}"
            assert secret in SERVICES[service]["secrets"], f"{service}: {name}"
            assert COMPOSE["secrets"][secret].keys() == {"environment"}


def test_every_setting_is_one_of_the_program() -> None:
    known = {setting.variable for setting in SETTINGS}
    known |= {setting.variable + FILE_SUFFIX.upper() for setting in SETTINGS if setting.secret}
    used = {name for service, name, _ in environment() if service in OURS}

    assert {name for name in used if name.startswith(PREFIX)} == used
    assert used <= known


def test_every_command_is_one_of_the_program() -> None:
    for word, *arguments in [service["command"] for service in OURS.values()]:
        filled_in = [re.sub(r"\$\{\w+:-(\w+)\}", r"\1", argument) for argument in arguments]
        commands_of(word)[word].parser().read(filled_in)


@pytest.mark.parametrize(("doctor", "healthy"), [(0, True), (1, True), (4, False), (70, False)])
def test_what_people_should_look_at_makes_no_process_unhealthy(doctor: int, healthy: bool, tmp_path: Path) -> None:
    program = tmp_path / "commcredits"
    program.write_text(f'#!/bin/sh\ntest "$*" = doctor && exit {doctor}\nexit 99\n')
    program.chmod(0o755)
    for name in ("consume", "project", "work"):
        how, check = OURS[name]["healthcheck"]["test"]
        shell = ["/bin/sh", "-c", check.replace("$$", "$")]
        done = subprocess.run(shell, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=False)
        assert (how, done.returncode == 0) == ("CMD-SHELL", healthy), name


def test_whether_serve_is_ready_is_asked_at_its_own_port() -> None:
    port = OURS["serve"]["command"][-1]
    [check] = OURS["serve"]["healthcheck"]["test"][3:]

    assert f"http://127.0.0.1:{port}/health/ready" in check
    assert OURS["serve"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    compile(check, "health check", "exec")


def test_the_example_names_every_variable_and_the_file_ignores_none() -> None:
    named = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    asked = set(VARIABLE.findall((ROOT / "docker-compose.yml").read_text()))

    assert named == asked | {secret["environment"] for secret in COMPOSE["secrets"].values()}
    assert ".env" in (ROOT / ".gitignore").read_text().split()


def test_the_store_of_the_example_is_the_postgres_beside_it() -> None:
    postgres = SERVICES["postgres"]["environment"]
    store = f"postgresql://{postgres['POSTGRES_USER']}:${{POSTGRES_PASSWORD}}@postgres/{postgres['POSTGRES_DB']}"

    assert f"COMMCREDITS_STORE={store}\n" in (ROOT / ".env.example").read_text()


def test_both_topics_are_made_with_equal_partitions(tmp_path: Path) -> None:
    tool, calls = tmp_path / "kafka-topics.sh", tmp_path / "calls"
    tool.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n')
    tool.chmod(0o755)
    service = SERVICES["topics"]
    command = [part.replace("$$", "$").replace(f"/opt/kafka/bin/{tool.name}", str(tool)) for part in service["command"]]

    subprocess.run([*service["entrypoint"], *command], check=True, env={"COMMCREDITS_PARTITIONS": "6"})

    options = "--bootstrap-server broker:9092 --create --if-not-exists --topic {} --partitions 6 --replication-factor 1"
    topics = [DEFAULTS.topic_calls, DEFAULTS.topic_conferences]
    assert calls.read_text().splitlines() == [options.format(topic) for topic in topics]
    assert SERVICES["broker"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_every_image_is_of_a_named_version() -> None:
    images = [service["image"] for service in SERVICES.values() if "build" not in service] + instructions("FROM")

    assert [image for image in images if not re.search(r":[\d.]+", image) or ":latest" in image] == []


def test_the_program_runs_as_nobody_in_particular_and_writes_nowhere() -> None:
    assert instructions("USER") == ["commcredits"]
    for service in OURS.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "user" not in service


def test_the_image_holds_every_package_and_runs_the_script() -> None:
    wheel = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    wanted = [*wheel["packages"], *wheel["force-include"]]
    copied = [source for line in instructions("COPY") if "--from" not in line for source in line.split()[:-1]]
    ignored = (ROOT / ".dockerignore").read_text().split()

    assert {*wanted, "pyproject.toml", "README.md", "bootstrap.lock", "requirements-runtime.lock"} == {*copied}
    assert {f"!{name}" for name in copied} <= {*ignored}
    assert [f'["{script}"]' for script in PYPROJECT["project"]["scripts"]] == instructions("ENTRYPOINT")
