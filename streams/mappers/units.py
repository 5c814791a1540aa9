"""Units that readings are converted between: a closed list, so a unit that nobody thought of is a finding.

Beside pint 0.25 a table of forty lines is enough: the formats spell their units in their own way
(`MILLIMETER/SECOND`, `litre`), so a table of spellings is needed in any case, of which pint knows few; and
pint takes 19 MB and four more packages (docs/mappers.md has the times).
"""

from fleet.unit_mixup import QUANTITIES

BASES: tuple[str, ...] = ("m³", "kg", "J", "°")
"""Units of quantities that `fleet/unit_mixup` does not have."""

MORE: dict[str, tuple[str, float]] = {
    "h": ("s", 3600.0),
    "d": ("s", 86_400.0),
    "km": ("m", 1000.0),
    "mi": ("m", 1609.344),
    "ft": ("m", 0.3048),
    "mm/min": ("m/s", 1e-3 / 60),
    "m/min": ("m/s", 1 / 60),
    "mph": ("m/s", 0.44704),
    "L/h": ("m³/h", 1e-3),
    "gal/h": ("m³/h", 3.785411784e-3),
    "L": ("m³", 1e-3),
    "gal": ("m³", 3.785411784e-3),  # of the United States
    "imp gal": ("m³", 4.54609e-3),
    "t": ("kg", 1000.0),
    "lb": ("kg", 0.45359237),
    "short ton": ("kg", 907.18474),
    "Wh": ("J", 3600.0),
    "kWh": ("J", 3.6e6),
    "MWh": ("J", 3.6e9),
    "Pa": ("kPa", 1e-3),
    "hPa": ("kPa", 0.1),
    "rad": ("°", 57.29577951308232),
    "rad/s": ("Hz", 0.15915494309189535),
    "°/s": ("Hz", 1 / 360),
}
"""So many of a unit that is known already. NIST SP 811, appendix B."""


def _listed() -> dict[str, tuple[int, float, float]]:
    """Each unit's quantity, and scale and offset to its SI unit."""
    listed = {
        unit: (number, scale, offset)
        for number, quantity in enumerate(QUANTITIES)
        for unit, (scale, offset) in quantity.items()
    }
    for number, base in enumerate(BASES, len(QUANTITIES)):
        listed[base] = number, 1.0, 0.0
    for unit, (known, times) in MORE.items():
        number, scale, _ = listed[known]
        listed[unit] = number, scale * times, 0.0
    return listed


UNITS = _listed()


def conversion(unit: str, to: str) -> tuple[float, float] | None:
    """Scale and offset: times the scale plus the offset is the value in `to`. None if that cannot be."""
    if unit == to:
        return 1.0, 0.0
    if unit not in UNITS or to not in UNITS or UNITS[unit][0] != UNITS[to][0]:
        return None
    (_, scale, offset), (_, by, plus) = UNITS[unit], UNITS[to]
    return scale / by, (offset - plus) / by
