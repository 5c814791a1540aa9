"""Where a figure was measured: without the machine and the commit it says nothing."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

_PROJECT = Path(__file__).resolve().parents[2]


def provenance() -> dict[str, Any]:
    """Version, commit and machine. Ask before a run: by its end the checkout may be another."""
    return {"version": version(), "commit": commit(), "machine": machine()}


def machine() -> dict[str, Any]:
    """Cores that this process may use, memory in bytes, CPU model, Python and kernel."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "cpu": _cpu_model(),
        "python": platform.python_version(),
        "kernel": platform.release(),
    }


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def version() -> str:
    """The product's version."""
    return metadata.version("faultline")


def commit() -> str | None:
    """The checkout's commit, with a `+` if files differ from it; None outside a checkout."""
    head = _git("rev-parse", "HEAD")
    return head and head + "+" * bool(_git("status", "--porcelain", "--untracked-files=no"))


def _git(*words: str) -> str | None:
    if not (_PROJECT / ".git").exists():
        return None
    try:
        done = subprocess.run(  # noqa: S603 - our own argument list
            ["git", "-C", str(_PROJECT), *words],  # noqa: S607 - whichever git the user has
            check=False,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
