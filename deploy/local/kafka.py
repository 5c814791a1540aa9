"""Apache Kafka without containers: one broker in KRaft mode on loopback."""

import base64
import json
import logging
import shutil
import socket
import struct
import subprocess
import time
import uuid
from pathlib import Path

from deploy.local.errors import KafkaError
from deploy.local.ports import HOST, kept_ports
from deploy.local.process import BackgroundProcess
from storage.server.launcher import Progress

log = logging.getLogger(__name__)

_LOGGING = Path(__file__).with_name("log4j2.properties")
_SHORT_LIVED = "-XX:TieredStopAtLevel=1"  # saves half the processor time of a program that ends at once
_STARTED = "Kafka Server started"
_READY_SECONDS = 90
_STOP_SECONDS = 30

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=CLIENTS://{host}:{clients},CONTROLLER://{host}:{controller},PROXIED://{host}:{proxied}
advertised.listeners=CLIENTS://{host}:{clients},PROXIED://{host}:{advertised}
listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT
inter.broker.listener.name=CLIENTS
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers={host}:{controller}
log.dirs={data}
auto.create.topics.enable=false
log.message.timestamp.type=LogAppendTime
message.max.bytes=2097152
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=6000
broker.heartbeat.interval.ms=1000
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


class KafkaBroker:
    """One broker, its own controller, kept in `folder` and found again there by later processes.

    With `proxy_port` a second listener tells its clients to come back through that port of loopback, where a
    proxy can delay or cut what it forwards to `proxied_port`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        heap: str = "512m",
        proxy_port: int | None = None,
        progress: Progress = log.info,
    ) -> None:
        self.folder = folder.resolve()
        self.log_file = self.folder / "kafka.log"
        self._heap = heap
        self._proxy_port = proxy_port
        self._progress = progress
        self._properties = self.folder / "server.properties"
        self._process = BackgroundProcess(self.folder / "kafka.pid", str(self._properties))

    @property
    def bootstrap(self) -> str:
        """Bootstrap servers for clients."""
        return f"{HOST}:{self._ports()['clients']}"

    @property
    def proxied_port(self) -> int:
        """Where a proxy has to forward to; its clients bootstrap from the proxy."""
        return self._ports()["proxied"]

    def pid(self) -> int | None:
        """The broker's process while it runs."""
        return self._process.pid()

    def start(self, jars: Path) -> None:
        """Start the broker unless it runs, and wait until it serves clients; raises `KafkaError`."""
        self._progress("starting Kafka")
        launched = False
        end = time.monotonic() + _READY_SECONDS
        while not self._serves():
            if time.monotonic() > end:
                raise KafkaError(f"Kafka does not answer after {_READY_SECONDS} s; see {self.log_file}")
            if launched and self._process.started() and self.pid() is None:
                raise KafkaError(f"Kafka did not start; {self.log_file} ends with:\n{self._last_lines()}")
            if not launched and self.pid() is None:  # one that was killed is seen for a moment longer
                self._launch(jars)
                launched = True
            time.sleep(0.1)

    def stop(self) -> None:
        """End the broker if it runs; its data stays."""
        self._process.stop(_STOP_SECONDS)

    def _ports(self) -> dict[str, int]:
        ports: dict[str, int] = json.loads((self.folder / "ports.json").read_text())
        return ports

    def _configure(self) -> None:
        ports = kept_ports(self.folder / "ports.json", ("clients", "controller", "proxied"))
        advertised = self._proxy_port or ports["proxied"]
        text = _PROPERTIES.format(host=HOST, data=self.folder / "data", advertised=advertised, **ports)
        self._properties.write_text(text)

    def _format(self, jars: Path) -> None:
        """Make the empty log folder; the file with its id is written last and says that it is whole."""
        done = self.folder / "cluster.id"
        if done.exists():
            return
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        words = ("format", "--standalone", f"--cluster-id={cluster_id}", f"--config={self._properties}")
        command = [*_java(jars, "128m"), _SHORT_LIVED, "kafka.tools.StorageTool", *words]
        result = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own list
        if result.returncode != 0:
            raise KafkaError(f"Kafka could not format {self.folder / 'data'}: {result.stdout}{result.stderr}")
        done.write_text(cluster_id)

    def _launch(self, jars: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._configure()
        self._format(jars)
        if self.log_file.exists():
            self.log_file.replace(self.folder / "kafka.log.1")
        command = [*_java(jars, self._heap), "kafka.Kafka", str(self._properties)]
        self._process.start(command, self.log_file)

    def _serves(self) -> bool:
        """Whether it has said that it started, and answers a client."""
        if self.pid() is None or not self.log_file.exists():
            return False
        return _STARTED in self.log_file.read_text(errors="replace") and _answers(self._ports()["clients"])

    def _last_lines(self) -> str:
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-12:])


def _java(jars: Path, heap: str) -> list[str]:
    logging_to = f"-Dlog4j2.configurationFile={_LOGGING}"
    return ["java", f"-Xmx{heap}", "-XX:+ExitOnOutOfMemoryError", logging_to, "-cp", f"{jars}/*"]


def _answers(port: int) -> bool:
    """Send ApiVersions, with which every client begins; the answer starts with its size in four bytes."""
    request = struct.pack(">ihhih", 10, 18, 0, 1, -1)  # size, key, version, correlation id, no client id
    try:
        with socket.create_connection((HOST, port), timeout=5) as connection:
            connection.sendall(request)
            return len(connection.recv(4, socket.MSG_WAITALL)) == 4
    except OSError:
        return False
