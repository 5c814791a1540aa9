"""A sensor that cannot be trusted, read as a finding of its own: it says nothing about the machine."""

from fleet.asset import Channel
from fleet.finding import Evidence, Finding

KINDS = {
    "out_of_range": ("Sensor out of range", "传感器超量程", "reports what it cannot measure", "读数超出量程"),
    "stuck": ("Sensor stuck", "传感器卡滞", "has not changed, though it always did", "读数长期不变"),
}
"""Kind of fault to its title and what the channel does, in both languages."""


def read_sensor_fault(channel: Channel, kind: str, value: float | None) -> Finding:
    """The finding for a channel with a sensor fault of `kind`, at a reading of `value`."""
    title_en, title_zh, does_en, does_zh = KINDS[kind]
    name_en, name_zh = channel.title_en or channel.name, channel.title_zh or channel.name
    reading = "" if value is None else f": {value:.4g} {channel.unit}".removesuffix(" 1")
    evidence = Evidence(
        channel.name,
        channel.unit,
        1.0,
        value,
        None,
        f"{name_en} {does_en}{reading}",
        f"{name_zh}{does_zh}{reading.replace(': ', '：')}",
    )
    return Finding(
        f"sensor-{kind.replace('_', '-')}",
        f"{title_en}: {name_en}",
        f"{title_zh}：{name_zh}",
        "Check the sensor's plug and cable, then replace it; the machine itself is not in question.",
        "检查传感器插头与电缆，必要时更换；设备本身未见异常。",
        (evidence,),
    )
