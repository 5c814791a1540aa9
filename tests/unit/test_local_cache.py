"""What is downloaded or built is made by one process, whole or not at all."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.local.cache import make_once


def test_of_many_who_want_it_one_makes_it(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(half: Path) -> None:
        made.append(half)
        (half / "jar").write_text("whole")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: make_once(tmp_path / "cache" / "jars", make), range(8)))
    assert len(made) == 1
    assert (tmp_path / "cache" / "jars" / "jar").read_text() == "whole"


def test_half_of_it_is_thrown_away_and_made_anew(tmp_path: Path) -> None:
    def fail(half: Path) -> None:
        (half / "jar").write_text("hal")
        raise OSError("no network")

    with pytest.raises(OSError, match="no network"):
        make_once(tmp_path / "jars", fail)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]
    make_once(tmp_path / "jars", lambda half: (half / "jar").touch())
    assert (tmp_path / "jars" / "jar").exists()
