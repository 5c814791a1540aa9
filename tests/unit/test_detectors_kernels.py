"""Compiled loops are those of the source as it is now, also where a loop calls one of another file."""

import sys
from importlib import import_module, invalidate_caches
from pathlib import Path

import pytest

CALLER = """
from detectors.kernels import kernel
from {helper} import added


@kernel
def run(x):
    return below(x)


@kernel
def below(x):
    return added(x)
"""

HELPER = """
from detectors.kernels import kernel


@kernel
def added(x):
    return x + {what}
"""


def imported(name: str) -> int:
    """What the caller says of 1, in modules read anew as a new process does."""
    for each in [known for known in sys.modules if known.startswith("kernel_test_")]:
        del sys.modules[each]
    invalidate_caches()
    return int(import_module(name).run(1))


def test_a_loop_is_compiled_anew_when_a_kernel_that_it_calls_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    caller, helper = "kernel_test_caller", "kernel_test_helper"
    (tmp_path / f"{caller}.py").write_text(CALLER.format(helper=helper))
    (tmp_path / f"{helper}.py").write_text(HELPER.format(what="1"))
    assert imported(caller) == 2
    (tmp_path / f"{helper}.py").write_text(HELPER.format(what="10 * 10"))
    assert imported(caller) == 101


def test_the_machine_code_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    caller, helper = "kernel_test_kept", "kernel_test_beside"
    (tmp_path / f"{caller}.py").write_text(CALLER.format(helper=helper))
    (tmp_path / f"{helper}.py").write_text(HELPER.format(what="1"))
    assert imported(caller) == 2
    assert imported(caller) == 2
    assert not sys.modules[caller].run.stats.cache_misses
    assert sys.modules[caller].run.stats.cache_hits
