"""A pack that is not shipped: all that a new vertical needs is its file."""

from fleet.asset import Channel, EquipmentType
from fleet.sign import Urgency, up
from fleet.standard_limit import StandardLimit
from fleet.vertical import Detection, FaultMode, VerticalPack, WearCounter

CHANNELS = (
    Channel("direction", "1", 0, 2, "state", title_en="Direction", title_zh="运行方向"),
    Channel("step_speed", "m/s", 0, 1.5, title_en="Step speed", title_zh="梯级速度"),
    Channel(
        "handrail_deviation", "%", -100, 100, title_en="Handrail against step", title_zh="扶手带速度偏差"
    ),
    Channel("motor_current", "A", 0, 100, title_en="Motor current", title_zh="电机电流"),
    Channel("gear_temperature", "°C", -20, 150, title_en="Gear oil temperature", title_zh="减速箱油温"),
    Channel("running_time", "h", 0, kind="counter", title_en="Running time", title_zh="累计运行时间"),
)

FAULT_MODES = (
    FaultMode(
        "chain-wear",
        "Step chain worn or dry",
        "梯级链磨损或缺油",
        ("motor_current",),
        "Lubricate the chain and measure its length.",
        "润滑梯级链并测量伸长量。",
        signs=(up("motor_current"),),
        failure_code="PDE",
        parts_en="Chain oil.",
        parts_zh="链条油。",
    ),
    FaultMode(
        "handrail-slip",
        "Handrail slips",
        "扶手带打滑",
        ("handrail_deviation",),
        "Check the handrail's drive, its tension and its guides.",
        "检查扶手带驱动、张力及导轨。",
        failure_code="SLP",
        parts_en="Handrail, drive rollers.",
        parts_zh="扶手带、驱动轮。",
        urgency=Urgency.DAYS,
    ),
    FaultMode(
        "gear",
        "Gear runs hot",
        "减速箱过热",
        ("gear_temperature", "motor_current"),
        "Check oil level and bearings.",
        "检查油位与轴承。",
        signs=(up("gear_temperature"), up("motor_current")),
        failure_code="OHE",
        parts_en="Gear oil.",
        parts_zh="齿轮油。",
    ),
)

PACK = VerticalPack(
    EquipmentType("escalator", CHANNELS, "Escalator", "自动扶梯"),
    Detection(baseline_rows=300, health_tau_s=600.0, idle=(0,)),
    (WearCounter("chain", "running_time", 40_000, 50_000, "h", title_en="Chain", title_zh="梯级链"),),
    FAULT_MODES,
    (
        StandardLimit(
            "step_speed",
            0.9,
            "EN 115-1 / GB/T 16899, overspeed",
            "Escalator too fast",
            "扶梯超速",
            "Stop it; check brake, drive and encoder.",
            "停梯，检查制动器、驱动及编码器。",
            deadband=0.05,
            off_delay_s=60.0,
        ),
    ),
)
