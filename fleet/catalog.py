"""The vertical packs: every module of `fleet/verticals` that exports `PACK`."""

import pkgutil
from functools import cache
from importlib import import_module

from fleet import verticals
from fleet.asset import EquipmentType
from fleet.vertical import VerticalPack


@cache
def packs() -> dict[str, VerticalPack]:
    """The shipped packs by the name of their equipment type."""
    modules = sorted(module.name for module in pkgutil.iter_modules(verticals.__path__))
    found = [import_module(f"{verticals.__name__}.{name}").PACK for name in modules]
    return {pack.equipment_type.name: pack for pack in found}


def pack_of(equipment_type: EquipmentType) -> VerticalPack:
    """The shipped pack of an equipment type, else one with the default detection and nothing else."""
    shipped = packs().get(equipment_type.name)
    return shipped.on(equipment_type) if shipped else VerticalPack(equipment_type)
