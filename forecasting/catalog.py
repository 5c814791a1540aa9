"""Every forecaster there is: a module of this folder that names its class `FORECASTER` is one."""

from importlib import import_module
from pkgutil import iter_modules

import forecasting
from forecasting.contract import Forecaster


def catalog() -> dict[str, type[Forecaster]]:
    """Forecaster classes by their `NAME`; raises `ValueError` if two share one."""
    found: dict[str, type[Forecaster]] = {}
    for module in sorted(iter_modules(forecasting.__path__, "forecasting."), key=lambda each: each.name):
        forecaster: type[Forecaster] | None = getattr(import_module(module.name), "FORECASTER", None)
        if forecaster is None:
            continue
        if forecaster.NAME in found:
            raise ValueError(f"two forecasters are called {forecaster.NAME!r}: rename one of them")
        found[forecaster.NAME] = forecaster
    return found
