"""Our units as Grafana names them."""

GRAFANA: dict[str, str] = {
    "%": "percent",
    "°C": "celsius",
    "K": "kelvin",
    "A": "amp",
    "V": "volt",
    "kV": "kvolt",
    "W": "watt",
    "kW": "kwatt",
    "kWh": "kwatth",
    "Hz": "hertz",
    "h": "h",
    "s": "s",
    "min": "m",
    "m/s": "velocityms",
    "bar": "pressurebar",
    "kPa": "pressurekpa",
    "L": "litre",
    "kg": "masskg",
    "t": "masst",
    "m": "lengthm",
    "mm": "lengthmm",
    "km": "lengthkm",
    "rpm": "rotrpm",
    "1/min": "rotrpm",
    "ppm": "ppm",
    "1": "short",
}
"""By unit; those that differ in size from Grafana's, or are written as no standard does, are not here."""


DAYS = "suffix:d"
"""Grafana's own days become weeks and years, in English on Chinese dashboards too."""


def grafana_unit(unit: str) -> str:
    """Grafana's unit, or ours behind the number, before which Grafana puts a space."""
    return GRAFANA.get(unit, f"suffix:{unit}")
