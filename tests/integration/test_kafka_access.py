"""A Kafka that asks for TLS and a password lets the whole platform in, and nobody else."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from console.platform import foundation, platform
from console.settings import SettingsError, load_settings
from deploy.local.kafka import KafkaBroker
from deploy.local.ports import HOST, free_ports
from fleet.asset import Asset, Channel, EquipmentType, Fleet, Site, Tenant
from fleet.clock import microseconds
from storage.bootstrap import WRITER
from storage.pool import Pool, open_pool
from storage.registry import register
from storage.server.database import Database
from streams.kafka_access import KafkaAccess
from streams.replay.publisher import KafkaPublisher
from streams.topics import telemetry_topic
from streams.wire.binary import encode_binary
from streams.wire.frame import Frame

USER, PASSWORD = "faultline", "correct-horse"

SECURED = """\
listeners={listeners},SECURED://{host}:{port}
advertised.listeners={advertised},SECURED://{host}:{port}
listener.security.protocol.map={protocols},SECURED:SASL_SSL
listener.name.secured.ssl.keystore.location={keys}
listener.name.secured.ssl.keystore.password=changeit
listener.name.secured.ssl.keystore.type=PKCS12
listener.name.secured.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.secured.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
"""

PUMP = EquipmentType("pump", (Channel("oil", "°C"),))
FLEET = Fleet((Tenant("acme"),), (Site("acme", "hall"),), (Asset(0, "acme", "hall", "p1", "pump"),), (PUMP,))


class SecuredBroker(KafkaBroker):
    """A broker with one more listener, whose certificate is its own authority."""

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def secured(self) -> str:
        return f"{HOST}:{(self.folder / 'secured').read_text()}"

    def _configure(self) -> None:
        super()._configure()
        keys = self.folder / "keys.p12"
        store = ["-keystore", str(keys), "-storepass", "changeit", "-alias", "broker"]
        if not keys.exists():
            names = ["-dname", "CN=broker", "-ext", f"san=ip:{HOST}", "-ext", "bc:c=ca:true"]
            _run("keytool", "-genkeypair", "-keyalg", "EC", "-storetype", "PKCS12", *names, *store)
            _run("keytool", "-exportcert", "-rfc", "-file", str(self.ca), *store)
            (self.folder / "secured").write_text(str(free_ports(1)[0]))
        file = self.folder / "server.properties"
        written = dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
        more = SECURED.format(
            listeners=written["listeners"],
            advertised=written["advertised.listeners"],
            protocols=written["listener.security.protocol.map"],
            host=HOST,
            port=(self.folder / "secured").read_text(),
            keys=keys,
        )
        with file.open("a") as properties:
            properties.write(more)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory, kafka_jars: Path) -> Iterator[KafkaAccess]:
    broker = SecuredBroker(tmp_path_factory.mktemp("secured") / "kafka")
    broker.start(kafka_jars)
    try:
        config = ["kafka.admin.ConfigCommand", "--bootstrap-server", broker.bootstrap, "--alter"]
        password = ["--add-config", f"SCRAM-SHA-512=[password={PASSWORD}]"]
        user = ["--entity-type", "users", "--entity-name", USER]
        _run("java", "-cp", f"{kafka_jars}/*", *config, *password, *user)
        yield KafkaAccess(broker.secured, True, broker.ca, USER, PASSWORD)
    finally:
        broker.stop()


def frame(seq: int) -> bytes:
    now = microseconds(datetime.now(UTC))
    values = np.ones((1, 1), np.float32)
    return encode_binary(Frame("p1", None, 1, seq, np.array([now]), ("oil",), ("°C",), values, None))


async def test_the_platform_reads_and_writes(
    secured: KafkaAccess, plain_database: Database, tmp_path: Path
) -> None:
    settings = load_settings(
        kafka=secured.servers,
        kafka_tls=True,
        kafka_ca=secured.ca,
        kafka_user=USER,
        kafka_password=PASSWORD,
        database=plain_database.dsn(WRITER),
        data_dir=tmp_path,
        partitions=1,
        session_timeout_s=6,
    )
    async with open_pool(plain_database.dsn(WRITER), "test") as pool:
        await register(pool, FLEET)
    with foundation(settings) as found:
        async with platform(settings, found) as running:
            work = asyncio.create_task(running.run())
            try:
                await (await running.publisher.send(telemetry_topic("acme"), b"p1", frame(0), ()))
                with closing(KafkaPublisher(secured)) as gateway:
                    await asyncio.to_thread(_send, gateway)
                while await _stored(running.pool) < 2:
                    assert not work.done(), work
                    await asyncio.sleep(0.2)
            finally:
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)


def _send(gateway: KafkaPublisher) -> None:
    gateway.publish(telemetry_topic("acme"), b"p1", frame(1), ())
    gateway.flush()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, "of our topics"),
        ({"FAULTLINE_KAFKA_PASSWORD": "wrong"}, "Are FAULTLINE_KAFKA_USER, _PASSWORD and _MECHANISM right?"),
        ({"FAULTLINE_KAFKA_CA": ""}, "Do its certificates name its hosts, and come from FAULTLINE_KAFKA_CA?"),
    ],
)
def test_who_is_not_let_in_hears_what_to_look_at(
    secured: KafkaAccess, tmp_path: Path, change: dict[str, str], says: str
) -> None:
    given = {
        "FAULTLINE_KAFKA": secured.servers,
        "FAULTLINE_KAFKA_TLS": "true",
        "FAULTLINE_KAFKA_CA": str(secured.ca),
        "FAULTLINE_KAFKA_USER": USER,
        "FAULTLINE_KAFKA_PASSWORD": PASSWORD,
        "FAULTLINE_DATA_DIR": str(tmp_path),
    } | change
    env = os.environ | {name: value for name, value in given.items() if value}
    command = [str(Path(sys.executable).with_name("faultline")), "check", "--json"]
    told = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert says in told.stdout
    assert PASSWORD not in told.stdout + told.stderr


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"kafka_user": "u"}, "set both or neither"),
        ({"kafka_user": "u", "kafka_password": "secret"}, "need kafka_tls = true"),
        ({"kafka_tls": True, "kafka_ca": __file__}, "no certificate in PEM form"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError, match=says) as told:
        load_settings(kafka="broker:9093", **given)
    assert "secret" not in str(told.value)


async def _stored(pool: Pool) -> int:
    async with pool.connection() as conn:
        row = await (await conn.execute("select count(*) from telemetry")).fetchone()
    return int(row[0]) if row else 0
