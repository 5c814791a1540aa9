"""Every wear model there is: a module of this folder that names its class `WEAR_MODEL` is one."""

from importlib import import_module
from pkgutil import iter_modules

import forecasting.wear
from forecasting.wear.model import WearModel


def catalog() -> dict[str, type[WearModel]]:
    """Wear models by their `NAME`; raises `ValueError` if two share one."""
    found: dict[str, type[WearModel]] = {}
    places = iter_modules(forecasting.wear.__path__, "forecasting.wear.")
    for module in sorted(places, key=lambda each: each.name):
        model: type[WearModel] | None = getattr(import_module(module.name), "WEAR_MODEL", None)
        if model is None:
            continue
        if model.NAME in found:
            raise ValueError(f"two wear models are called {model.NAME!r}: rename one of them")
        found[model.NAME] = model
    return found
