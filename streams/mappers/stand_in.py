"""The equipment type that a mapping table speaks of."""

from fleet.asset import Channel, EquipmentType
from fleet.catalog import packs
from streams.mappers.table import MappingTable
from streams.replay.toml_reader import MapError


def equipment_type_of(table: MappingTable, kind: str) -> EquipmentType:
    """The shipped equipment type, or without one the table's channels in the units of its signals.

    Raises `MapError` if the table has no channels for the type.
    """
    if kind not in table.channels:
        raise MapError(
            f"mapping table {table.name} has no [channel.{kind}]; it has {', '.join(table.channels)}"
        )
    if kind in packs():
        return packs()[kind].equipment_type
    signals = {channel: table.signal(name) for channel, name in table.channels[kind].items()}
    channels = (Channel(name, row.unit) for name, row in signals.items() if row is not None)
    return EquipmentType(kind, tuple(channels))
