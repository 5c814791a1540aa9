"""Every detector there is: a module of this folder that names its class `DETECTOR` is one."""

from importlib import import_module
from pkgutil import iter_modules

import detectors
from detectors.contract import Detector


def catalog() -> dict[str, type[Detector]]:
    """Detector classes by their `NAME`; raises `ValueError` if two share one."""
    found: dict[str, type[Detector]] = {}
    for module in sorted(iter_modules(detectors.__path__, "detectors."), key=lambda each: each.name):
        detector: type[Detector] | None = getattr(import_module(module.name), "DETECTOR", None)
        if detector is None:
            continue
        if detector.NAME in found:
            raise ValueError(f"two detectors are called {detector.NAME!r}: rename one of them")
        found[detector.NAME] = detector
    return found
