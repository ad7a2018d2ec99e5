"""A broker to try things out with, until it is stopped: `python -m commcredits.sandbox FOLDER [PORT]`.

It listens on localhost (9092) and has both topics. What it holds stays in FOLDER, so that the positions in a store
are still right when it is started again.
"""

import contextlib
import signal
import sys
from pathlib import Path
from typing import Final

from kafka.errors import TopicAlreadyExistsError

from commcredits.sandbox.kafka import KafkaServer
from commcredits.sandbox.topics import create_topics

PORT: Final = 9092
TOPICS: Final = ("call-usage", "conference-usage")
PARTITIONS: Final = 4


def main(folder: Path, port: int) -> None:
    """Returns at SIGTERM or Ctrl-C, when the broker has left."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = KafkaServer(root=folder, port=port)
    with contextlib.suppress(KeyboardInterrupt):
        server.start()
        with contextlib.suppress(TopicAlreadyExistsError):
            create_topics(server.bootstrap, TOPICS, PARTITIONS)
        print(f"a broker on localhost:{port} has the topics {' and '.join(TOPICS)}; Ctrl-C ends it", flush=True)
        signal.pause()
    server.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else PORT)
