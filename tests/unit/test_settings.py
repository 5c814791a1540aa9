"""A setting that would be passed over is an error."""

import os
from pathlib import Path

import pytest

from console.settings import SettingsError, describe, load_settings


def test_a_file_that_is_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for nothing in (tmp_path / "typo.toml", tmp_path):
        monkeypatch.setenv("FAULTLINE_CONFIG", str(nothing))
        with pytest.raises(SettingsError, match=f"FAULTLINE_CONFIG names {nothing}"):
            load_settings()
    there = tmp_path / "there.toml"
    there.write_text("partitions = 3\n")
    monkeypatch.setenv("FAULTLINE_CONFIG", str(there))
    assert load_settings().partitions == 3
    monkeypatch.setenv("FAULTLINE_CONFIG", os.devnull)
    assert load_settings().partitions == 6


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("FAULTLINE_DATABSE", r"FAULTLINE_DATABSE .* did you mean FAULTLINE_DATABASE\?"),
        ("faultline_databse", r"faultline_databse .* did you mean FAULTLINE_DATABASE\?"),
        ("FAULTLINE_COLOURS_OF_XYZ", "FAULTLINE_COLOURS_OF_XYZ .* unset it"),
    ],
)
def test_a_variable_that_is_no_setting_is_an_error(
    monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    monkeypatch.setenv(name, "x")
    with pytest.raises(SettingsError, match=says):
        load_settings()


def test_variables_that_say_something_else_may_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAULTLINE_CRASH_POINT", "before_commit:2")
    monkeypatch.setenv("FAULTLINE_REQUIRE_ALL", "1")
    load_settings()


@pytest.mark.parametrize("address", ["broker", "host:x", "a:1,b", "a:1, b:2", "kafka://a:1"])
def test_servers_without_a_port_are_refused_with_the_form_that_works(address: str) -> None:
    with pytest.raises(SettingsError, match="kafka: write each server as host:port"):
        load_settings(kafka=address)


@pytest.mark.parametrize(
    "address",
    ["grafana.example", "127.0.0.1:3000", "https://admin:pa55@grafana.example", "ftp://g", "http://"],
)
def test_an_address_of_grafana_is_refused_with_the_form_that_works(address: str) -> None:
    with pytest.raises(SettingsError, match="grafana_url: write it from http:// or https://") as refused:
        load_settings(grafana_url=address)
    assert "pa55" not in str(refused.value)


def test_addresses_of_the_right_form_are_taken() -> None:
    settings = load_settings(kafka="a:1,b:2", grafana_url="https://g.example:3000/grafana")
    assert (settings.kafka, settings.grafana_url) == ("a:1,b:2", "https://g.example:3000/grafana")


@pytest.mark.parametrize(
    "conninfo",
    [
        "postgresql://u:pa'ss@127.0.0.1:1/db",
        'postgresql://u:pa"ss@127.0.0.1:1/db',
        r"host=127.0.0.1 user=u dbname=db port=1 password='it\'s pa\'ss'",
        r"host=127.0.0.1 user=u dbname=db port=1 password=it\ pass sslpassword=pass",
    ],
)
def test_no_password_is_shown(conninfo: str) -> None:
    shown = {name: value for name, value, _ in describe(load_settings(database=conninfo))}["database"]
    assert "ss" not in shown
    assert set(shown.split()) == {"host=127.0.0.1", "port=1", "user=u", "dbname=db"}


@pytest.mark.parametrize("conninfo", ["host=h pasword=secret", "postgresql://u:pa ss@h/db"])
def test_a_conninfo_that_libpq_cannot_read_is_an_error_that_does_not_quote_it(conninfo: str) -> None:
    with pytest.raises(SettingsError, match=r"database: libpq cannot read it") as told:
        load_settings(database=conninfo)
    assert "secret" not in str(told.value)
    assert "ss@" not in str(told.value)
