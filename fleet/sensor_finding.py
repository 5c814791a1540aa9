"""A sensor that cannot be trusted, read as a finding of its own: it says nothing about the machine."""

from fleet.asset import Channel
from fleet.finding import Evidence, Finding
from fleet.unit_mixup import mix_ups

KINDS = {
    "out_of_range": ("Sensor out of range", "传感器超量程", "reports what it cannot measure", "读数超出量程"),
    "stuck": ("Sensor stuck", "传感器卡滞", "has not changed, though it always did", "读数长期不变"),
    "silent": ("Sensor silent", "传感器无数据", "is missing for longer than ever before", "缺失时间超过以往"),
    "other_unit": (
        "Sensor in another unit",
        "传感器单位疑似有误",
        "goes on as before if it now reports {unit}",
        "若改按 {unit} 理解则与此前一致",
    ),
}
"""Kind of fault to its title and what the channel does, in both languages."""

CHECK = (
    "Check the sensor's plug and cable, then replace it; the machine itself is not in question.",
    "检查传感器插头与电缆，必要时更换；设备本身未见异常。",
)

CHECK_UNIT = (
    "Check unit and scaling in sensor, controller and gateway; the machine itself is not in question.",
    "检查传感器、控制器和网关的单位与量程设置；设备本身未见异常。",
)


def read_sensor_fault(channel: Channel, kind: str, value: float | None, unit: int | None = None) -> Finding:
    """The finding for a channel with a sensor fault of `kind`, at a reading of `value`, None if missing.

    `unit` is the number of the unit, among those it is mixed up with, that the values seem to be in.
    """
    title_en, title_zh, does_en, does_zh = KINDS[kind]
    name_en, name_zh = channel.title_en or channel.name, channel.title_zh or channel.name
    other = "" if unit is None else mix_ups(channel.unit)[unit].unit
    reading = "" if value is None else f": {value:.4g} {other or channel.unit}".removesuffix(" 1")
    evidence = Evidence(
        channel.name,
        channel.unit,
        1.0,
        value,
        None,
        f"{name_en} {does_en.format(unit=other)}{reading}",
        f"{name_zh}{does_zh.format(unit=other)}{reading.replace(': ', '：')}",
    )
    return Finding(
        f"sensor-{kind.replace('_', '-')}",
        f"{title_en}: {name_en}",
        f"{title_zh}：{name_zh}",
        *(CHECK if unit is None else CHECK_UNIT),
        (evidence,),
    )


def read_clock_fault(back_s: float) -> Finding:
    """The finding for a machine whose clock went back; its evidence names no channel, "" in its place."""
    evidence = Evidence(
        "",
        "s",
        1.0,
        back_s,
        None,
        f"Rows come {back_s:.0f} s behind what the machine has already shown; they are stored, not judged",
        f"数据时间比设备已上报的时间落后 {back_s:.0f} s；这些数据已保存，但不参与判断",
    )
    return Finding(
        "clock-back",
        "Clock went back",
        "时钟回退",
        "Check the clock of machine and gateway and what sets it, and that only one source sends its rows.",
        "检查设备或网关的时钟及对时设置，并确认该设备只有一个数据来源。",
        (evidence,),
    )
