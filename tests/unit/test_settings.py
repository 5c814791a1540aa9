"""A setting that would be passed over is an error."""

import os
from pathlib import Path

import pytest

from console.settings import SettingsError, load_settings


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


@pytest.mark.parametrize("address", ["broker", "host:x", "a:1,b", "a:1, b:2"])
def test_an_address_that_is_none_is_an_error(address: str) -> None:
    with pytest.raises(SettingsError, match="kafka"):
        load_settings(kafka=address)
