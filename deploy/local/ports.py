"""Loopback ports of servers that are started again and again."""

import json
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

HOST = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """That many different ports of 127.0.0.1 on which nobody listens now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in sockets]


def _taken(port: int) -> bool:
    """Whether something listens on that port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def kept_ports(file: Path, names: Sequence[str]) -> dict[str, int]:
    """The ports kept in a file under these names; new ones if there is no file or one of them is taken."""
    if file.exists():
        ports: dict[str, int] = json.loads(file.read_text())
        if sorted(ports) == sorted(names) and not any(_taken(port) for port in ports.values()):
            return ports
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    file.write_text(json.dumps(ports))
    return ports
