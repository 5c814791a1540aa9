"""A detector is found by being a file."""

from pathlib import Path

import pytest

import detectors
from detectors.catalog import catalog

FILE = """
from detectors.ewma_t2 import EwmaT2

class Another(EwmaT2):
    NAME = {name!r}

DETECTOR = Another
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One more folder of the package, as if its files lay among the others."""
    monkeypatch.setattr(detectors, "__path__", [*detectors.__path__, str(tmp_path)])
    return tmp_path


def test_a_new_file_is_a_new_detector(folder: Path) -> None:
    (folder / "planted_one.py").write_text(FILE.format(name="another"))
    assert catalog()["another"].__name__ == "Another"


def test_two_detectors_of_one_name_are_refused(folder: Path) -> None:
    (folder / "planted_two.py").write_text(FILE.format(name="ewma_t2"))
    with pytest.raises(ValueError, match="two detectors are called 'ewma_t2'"):
        catalog()
