"""Settings: defaults, then one TOML file, then the environment; each value knows where it came from."""

import difflib
import os
import re
import ssl
import tomllib
from pathlib import Path
from typing import Any, Self

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import (
    DirectoryPath,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from streams.kafka_access import KafkaAccess

PREFIX = "FAULTLINE_"
FILE_VARIABLE = "FAULTLINE_CONFIG"
NO_SETTINGS = {FILE_VARIABLE, "FAULTLINE_CRASH_POINT", "FAULTLINE_REQUIRE_ALL"}
"""Variables that say something else: the file, where a test ends a process, that tests may skip nothing."""


_FORMS = {
    "kafka": (
        re.compile(r"[^\s:,/]+:\d+(,[^\s:,/]+:\d+)*"),
        "write each server as host:port, with a comma between two, such as kafka-1:9092,kafka-2:9092",
    ),
    "grafana_url": (
        re.compile(r"https?://[^\s/@?#]+(/[^\s?#]*)?"),
        "write it from http:// or https:// on, without a name or password, such as https://grafana.example",
    ),
    "worker_name": (
        re.compile(r"[A-Za-z0-9._-]{1,249}"),
        "take up to 249 ASCII letters, digits, dots, hyphens and underscores",
    ),
}
"""Of settings that are one word: its form, and what to write instead."""


class SettingsError(ValueError):
    """Settings that cannot be used; the message names the setting, its source and the cure."""


def settings_file() -> Path:
    """The TOML file: `FAULTLINE_CONFIG`, else `faultline.toml` in the working directory."""
    return Path(os.environ.get(FILE_VARIABLE, "faultline.toml"))


def default_data_dir() -> Path:
    """`$XDG_DATA_HOME/faultline`, else `~/.local/share/faultline`."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "faultline"


class Settings(BaseSettings):
    """All that an operator can set, as `FAULTLINE_<NAME>` or in the TOML file."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    kafka: str | None = Field(
        None, description="Kafka bootstrap servers as host:port,host:port; none: the in-memory transport"
    )
    kafka_tls: bool = Field(False, description="whether Kafka is asked over TLS, and has to prove its name")
    kafka_ca: FilePath | None = Field(
        None, description="PEM file of the authority that signed Kafka's certificates; none: the system's"
    )
    kafka_user: str | None = Field(None, min_length=1, description="a name that Kafka lets in (SASL)")
    kafka_password: SecretStr | None = Field(None, description="that name's password")
    kafka_mechanism: str = Field(
        "SCRAM-SHA-512",
        pattern="^(SCRAM-SHA-512|SCRAM-SHA-256|PLAIN)$",
        description="how Kafka asks for the password",
    )
    database_owner: SecretStr | None = Field(
        None, description="libpq conninfo that owns the schema (migrations)"
    )
    database_admin: SecretStr | None = Field(
        None, description="libpq conninfo that may make roles (faultline tenants)"
    )
    database: SecretStr | None = Field(
        None, description="libpq conninfo of the writer; none: embedded PostgreSQL"
    )
    data_dir: Path = Field(
        default_factory=default_data_dir, description="where embedded PostgreSQL keeps its data"
    )
    mapping_dir: DirectoryPath | None = Field(
        None, description="folder of your own mapping tables and aliases.toml (docs/mappers.md)"
    )
    group: str = Field("faultline", min_length=1, description="consumer group of the workers")
    worker_name: str | None = Field(
        None, description="a worker's own name in its group: killed and started again, it stops nobody else"
    )
    session_timeout_s: float = Field(
        30.0, ge=6, le=90, description="silence after which a worker's partitions go to others"
    )
    partitions: int = Field(6, ge=1, le=1000, description="partitions of a topic that is created")
    http_host: str = Field("127.0.0.1", description="address the HTTP API listens on")
    http_port: int = Field(8080, ge=0, le=65535, description="port of the HTTP API; 0 picks a free one")
    metrics_port: int = Field(
        0, ge=0, le=65535, description="port of a worker's health and metrics; 0 picks a free one"
    )
    max_frame_bytes: int = Field(1 << 20, ge=1024, description="largest frame that is accepted, in bytes")
    past_days: float = Field(30, gt=0, description="oldest instant accepted, in days before arrival")
    future_minutes: float = Field(10, gt=0, description="newest instant accepted, in minutes after arrival")
    grafana_url: str | None = Field(
        None, description="where Grafana answers, without a name or password (faultline grafana)"
    )
    grafana_admin: str = Field("admin", min_length=1, description="a server administrator of Grafana")
    grafana_admin_password: SecretStr | None = Field(None, description="that administrator's password")
    false_per_day: float | None = Field(
        None,
        ge=0.001,
        le=10,
        description="false episodes promised for each machine and day; none: what its type promises",
    )
    dead_letter_share: float = Field(
        0.5, gt=0, le=1, description="share of dead letters at which a partition stops"
    )
    dead_letter_run: int = Field(1000, ge=1, description="dead letters in a row at which a partition stops")
    retention_raw_days: int = Field(90, ge=1, description="days that raw telemetry is kept")
    retention_rollup_days: int = Field(730, ge=1, description="days that minute and hour rollups are kept")
    log_format: str = Field(
        "auto", pattern="^(auto|json|text)$", description="auto: text on a terminal, else JSON"
    )
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="least severe level logged"
    )

    @field_validator(*_FORMS)
    @classmethod
    def _has_its_form(cls, value: str | None, info: ValidationInfo) -> str | None:
        """Does not repeat the value: somebody may have written a password into it."""
        form, cure = _FORMS[str(info.field_name)]
        if value is not None and not form.fullmatch(value):
            raise ValueError(cure)
        return value

    @field_validator("database", "database_owner", "database_admin")
    @classmethod
    def _is_conninfo(cls, value: SecretStr | None) -> SecretStr | None:
        """Says nothing of what it holds: libpq's own message may quote the password."""
        try:
            conninfo_to_dict(value.get_secret_value() if value else "")
        except ProgrammingError:
            raise ValueError("libpq cannot read it: correct it, or quote what is special in it") from None
        return value

    @field_validator("kafka_ca")
    @classmethod
    def _is_authority(cls, value: Path | None) -> Path | None:
        try:
            ssl.create_default_context(cafile=value)
        except ssl.SSLError:
            raise ValueError(f"{value} holds no certificate in PEM form") from None
        except OSError as error:
            raise ValueError(f"{value} cannot be read: {error.strerror}") from None
        return value

    @model_validator(mode="after")
    def _lets_nobody_listen(self) -> Self:
        if (self.kafka_user is None) is not (self.kafka_password is None):
            raise ValueError("kafka_user and kafka_password go together: set both or neither")
        if (self.kafka_user or self.kafka_ca) and not self.kafka_tls:
            raise ValueError("kafka_user and kafka_ca need kafka_tls = true, or others can read along")
        return self

    @property
    def kafka_access(self) -> KafkaAccess | None:
        """Where Kafka is and how it lets us in; None for the in-memory transport."""
        if self.kafka is None:
            return None
        password = self.kafka_password.get_secret_value() if self.kafka_password else None
        return KafkaAccess(
            self.kafka, self.kafka_tls, self.kafka_ca, self.kafka_user, password, self.kafka_mechanism
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over file over defaults; explicit arguments (tests) over all."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, settings_file())


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; raises `SettingsError` naming every bad one."""
    _check_file()
    _check_environment()
    try:
        return Settings(**overrides)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{settings_file()}: not valid TOML: {error}") from error
    except ValidationError as error:
        said = [
            (".".join(map(str, e["loc"])), e["msg"].removeprefix("Value error, ")) for e in error.errors()
        ]
        problems = "; ".join(f"{name}: {message}" if name else message for name, message in said)
        raise SettingsError(
            f"settings: {problems} (set in {settings_file()} or as FAULTLINE_<NAME>)"
        ) from error


def _check_file() -> None:
    """A file that is asked for by name must be there: without it another database would be used."""
    file = settings_file()
    if FILE_VARIABLE in os.environ and (file.is_dir() or not file.exists()):
        raise SettingsError(f"{FILE_VARIABLE} names {file}, which is not a file: correct it or unset it")


def _check_environment() -> None:
    for variable in sorted(os.environ):
        name = variable.upper().removeprefix(PREFIX).lower()
        ours = variable.upper().startswith(PREFIX) and variable.upper() not in NO_SETTINGS
        if ours and name not in Settings.model_fields:
            close = difflib.get_close_matches(name, Settings.model_fields, 1)
            cure = f"did you mean {PREFIX}{close[0].upper()}?" if close else "unset it"
            raise SettingsError(f"{variable} in the environment is no setting: {cure}")


def describe(settings: Settings) -> list[tuple[str, str, str]]:
    """Each setting as (name, value with secrets masked, source), in the order of the class."""
    in_file = tomllib.loads(settings_file().read_text()) if settings_file().is_file() else {}
    rows = []
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if f"FAULTLINE_{name.upper()}" in os.environ:
            source = f"environment FAULTLINE_{name.upper()}"
        elif name in in_file:
            source = str(settings_file())
        else:
            source = "default" if name not in settings.model_fields_set else "argument"
        rows.append((name, _shown(name, value) if isinstance(value, SecretStr) else str(value), source))
    return rows


def _shown(name: str, conninfo: SecretStr) -> str:
    """All of it but what is secret."""
    if name.endswith("password"):
        return "is set"
    parts = conninfo_to_dict(conninfo.get_secret_value())
    kept: dict[str, Any] = {name: value for name, value in parts.items() if "password" not in name}
    return make_conninfo(**kept)
