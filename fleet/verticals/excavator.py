"""Hydraulic excavators.

What has an SPN is a parameter of SAE J1939-71, the rest is the machine controller's; hours and fuel are
carried by ISO 15143-3 too. Ranges of channels are what common sensors can report and, like detection
parameters and limits without a source, engineering defaults.
"""

from fleet.asset import Channel, EquipmentType
from fleet.beside import ChangePoints
from fleet.idle_advice import IdleShare
from fleet.sign import Urgency, down, up
from fleet.standard_limit import StandardLimit
from fleet.vertical import Detection, FaultMode, VerticalPack, WearCounter

PER_MINUTE = 1 / 60

CHANNELS = (
    # 0 engine off, 1 idles or warms up (hydraulic oil below 45 °C), 2 digs, 3 loads trucks, 4 travels
    Channel("mode", "1", 0, 4, "state", PER_MINUTE, "Kind of work", "作业模式"),
    Channel("ambient_temperature", "°C", -50, 60, "setpoint", PER_MINUTE, "Ambient temperature", "环境温度"),
    Channel(
        "engine_speed", "r/min", 0, 3_500, "setpoint", PER_MINUTE, "Engine speed", "发动机转速"
    ),  # SPN 190
    Channel("engine_load", "%", 0, 125, "measurement", PER_MINUTE, "Engine load", "发动机负荷"),  # SPN 92
    # what is burnt goes with the work; what is burnt for the work tells faults
    Channel("fuel_rate", "L/h", 0, 200, "setpoint", PER_MINUTE, "Fuel rate", "油耗率"),  # SPN 183
    Channel("specific_fuel", "g/kWh", 0, 2_000, "measurement", PER_MINUTE, "Specific fuel", "比油耗"),
    Channel(  # SPN 110
        "coolant_temperature", "°C", -40, 150, "measurement", PER_MINUTE, "Coolant temperature", "冷却液温度"
    ),
    Channel(  # SPN 173
        "exhaust_temperature", "°C", -40, 900, "measurement", PER_MINUTE, "Exhaust temperature", "排气温度"
    ),
    Channel(  # SPN 100
        "engine_oil_pressure", "kPa", 0, 1_000, "measurement", PER_MINUTE, "Engine oil pressure", "机油压力"
    ),
    Channel(
        "boost_pressure", "kPa", 0, 500, "measurement", PER_MINUTE, "Boost pressure", "增压压力"
    ),  # SPN 102
    Channel(  # SPN 107
        "air_filter_pressure",
        "kPa",
        0,
        13,
        "measurement",
        PER_MINUTE,
        "Air filter, differential pressure",
        "空滤压差",
    ),
    Channel(  # SPN 105
        "intake_temperature", "°C", -40, 210, "measurement", PER_MINUTE, "Intake temperature", "进气温度"
    ),
    Channel(
        "battery_voltage", "V", 0, 40, "measurement", PER_MINUTE, "Battery voltage", "电瓶电压"
    ),  # SPN 168
    Channel("pump_pressure", "MPa", 0, 50, "measurement", PER_MINUTE, "Pump pressure", "主泵压力"),
    # what leaks past pistons and plates and flows back from the housing
    Channel("case_drain_flow", "L/min", 0, 50, "measurement", PER_MINUTE, "Case drain flow", "泵泄油流量"),
    # Q·Δp / P, while the machine works
    Channel(
        "hydraulic_efficiency", "%", 0, 120, "measurement", PER_MINUTE, "Hydraulic efficiency", "液压效率"
    ),
    Channel("cycle_time", "s", 0, 120, "measurement", PER_MINUTE, "Cycle of the boom", "作业循环时间"),
    Channel(  # SPN 1638
        "hydraulic_oil_temperature",
        "°C",
        -40,
        150,
        "measurement",
        PER_MINUTE,
        "Hydraulic oil temperature",
        "液压油温度",
    ),
    # measured minus what load and surroundings explain, as machine monitors report it
    Channel(
        "coolant_residual", "K", -60, 100, "measurement", PER_MINUTE, "Coolant above model", "冷却液温残差"
    ),
    Channel(
        "hydraulic_oil_residual",
        "K",
        -60,
        100,
        "measurement",
        PER_MINUTE,
        "Hydraulic oil above model",
        "液压油温残差",
    ),
    Channel(
        "hydraulic_filter_pressure",
        "kPa",
        0,
        1_600,
        "measurement",
        PER_MINUTE,
        "Hydraulic filter, differential pressure",
        "液压油滤压差",
    ),
    Channel(
        "swing_pressure", "MPa", 0, 45, "measurement", PER_MINUTE, "Swing motor pressure", "回转马达压力"
    ),
    Channel(
        "engine_time", "h", 0, float("inf"), "counter", PER_MINUTE, "Engine hours", "发动机工时"
    ),  # SPN 247
    Channel("idle_time", "h", 0, float("inf"), "counter", PER_MINUTE, "Idle hours", "怠速工时"),  # SPN 235
    Channel("fuel_used", "L", 0, float("inf"), "counter", PER_MINUTE, "Fuel used", "累计油耗"),  # SPN 250
    Channel("swings", "1", 0, float("inf"), "counter", PER_MINUTE, "Cycles of the boom", "作业循环次数"),
)

TRAVELS = 3.5
"""Between the codes of loading and travelling."""

WEAR = (
    # overhauls of engine and pumps differ by maker; engineering defaults, as are the undercarriage's hours
    WearCounter("engine", "engine_time", 10_000, 12_000, "h", title_en="Engine hours", title_zh="发动机工时"),
    WearCounter(
        "undercarriage",
        "mode",
        800,
        1_000,
        "h",
        above=TRAVELS,
        title_en="Hours of travel",
        title_zh="行走时间",
    ),
    # swing bearing and pins; engineering default
    WearCounter(
        "swing-bearing",
        "swings",
        1_600_000,
        2_000_000,
        "1",
        title_en="Cycles of swing bearing and pins",
        title_zh="回转支承与销轴循环次数",
    ),
)

# The more specific mode comes first. `fails_at` is as the simulated machines have it: docs/packs.md.
FAULT_MODES = (
    FaultMode(
        "pump-leakage",
        "Hydraulic pump worn, leaks inside",
        "液压主泵磨损内泄",
        ("case_drain_flow", "hydraulic_efficiency"),
        "Measure case drain and pump flow at operating temperature; look for metal in the return filter.",
        "热态测量泵泄油流量与主泵流量，检查回油滤芯金属屑。",
        signs=(up("case_drain_flow"), down("hydraulic_efficiency")),
        failure_code="INL",
        parts_en="Pump rotary group, shaft seal, return filter.",
        parts_zh="主泵旋转组件、轴封、回油滤芯。",
        urgency=Urgency.DAYS,
        fails_at=8.8,
    ),
    FaultMode(
        "engine-cooling",
        "Engine runs hot",
        "发动机过热",
        ("coolant_residual", "coolant_temperature"),
        "Clean the radiator; check coolant level, fan drive, thermostat and water pump.",
        "清洁散热器，检查冷却液液位、风扇驱动、节温器及水泵。",
        signs=(up("coolant_residual"), up("coolant_temperature")),
        failure_code="OHE",
        parts_en="Thermostat, fan belt, coolant.",
        parts_zh="节温器、风扇皮带、冷却液。",
        urgency=Urgency.DAYS,
        fails_at=7.7,
    ),
    FaultMode(
        "hydraulic-cooling",
        "Hydraulic oil runs hot",
        "液压油过热",
        ("hydraulic_oil_residual", "hydraulic_oil_temperature"),
        "Clean the oil cooler; check fan speed, oil level and the relief valves.",
        "清洁液压油散热器，检查风扇转速、油位及溢流阀。",
        signs=(up("hydraulic_oil_residual"), up("hydraulic_oil_temperature")),
        failure_code="OHE",
        parts_en="Fan motor, relief valve seals, hydraulic oil.",
        parts_zh="风扇马达、溢流阀密封、液压油。",
        urgency=Urgency.DAYS,
        fails_at=8.4,
    ),
    FaultMode(
        "engine-lubrication",
        "Engine oil pressure low",
        "机油压力偏低",
        ("engine_oil_pressure",),
        "Check the oil's level and grade, the filter and the pressure sensor; take an oil sample.",
        "检查机油油位与牌号、机油滤芯及压力传感器，取油样检测。",
        signs=(down("engine_oil_pressure"),),
        failure_code="LOO",
        parts_en="Engine oil, oil filter, pressure sensor.",
        parts_zh="机油、机油滤芯、压力传感器。",
        urgency=Urgency.NOW,
        fails_at=7.9,
    ),
    FaultMode(
        "air-filter",
        "Air filter clogged",
        "空气滤清器堵塞",
        ("air_filter_pressure", "boost_pressure"),
        "Clean or change the air filter; check the intake hose and the pre-cleaner.",
        "清洁或更换空滤，检查进气管及预滤器。",
        signs=(up("air_filter_pressure"), down("boost_pressure")),
        failure_code="PLU",
        parts_en="Air filter elements.",
        parts_zh="空滤滤芯。",
        fails_at=5.9,
    ),
    FaultMode(
        "injector",
        "Injectors worn: burns more fuel",
        "喷油器磨损：油耗升高",
        ("specific_fuel", "exhaust_temperature"),
        "Measure the injectors' return flow and the cylinders' balance; check the fuel filter.",
        "测量喷油器回油量与各缸平衡，检查燃油滤清器。",
        signs=(up("specific_fuel"), up("exhaust_temperature")),
        failure_code="PDE",
        parts_en="Injectors, fuel filter.",
        parts_zh="喷油器、燃油滤芯。",
        fails_at=5.2,
    ),
    FaultMode(
        "hydraulic-filter",
        "Hydraulic filter clogged",
        "液压油滤堵塞",
        ("hydraulic_filter_pressure",),
        "Change the filter and cut it open; take an oil sample (ISO 4406).",
        "更换滤芯并剖检，取油样检测清洁度（ISO 4406）。",
        signs=(up("hydraulic_filter_pressure"),),
        failure_code="PLU",
        parts_en="Hydraulic filter element, seals.",
        parts_zh="液压油滤芯、密封圈。",
        urgency=Urgency.DAYS,
        fails_at=4.2,
    ),
    FaultMode(
        "swing-drive",
        "Swing drive or bearing stiff",
        "回转机构阻力增大",
        ("swing_pressure",),
        "Grease the swing bearing; measure its play, check the swing brake and the gear oil.",
        "加注回转支承润滑脂，测量间隙，检查回转制动及减速机油。",
        signs=(up("swing_pressure"),),
        failure_code="PDE",
        parts_en="Grease, gear oil, swing brake discs.",
        parts_zh="润滑脂、齿轮油、回转制动片。",
        fails_at=6.0,
    ),
    FaultMode(
        "alternator",
        "Battery is not charged",
        "充电系统异常",
        ("battery_voltage",),
        "Check belt, alternator and terminals; load-test the batteries.",
        "检查皮带、发电机及接线，对电瓶做负载测试。",
        signs=(down("battery_voltage"),),
        failure_code="LOO",
        parts_en="Alternator belt, alternator, battery terminals.",
        parts_zh="发电机皮带、发电机、电瓶接线柱。",
        urgency=Urgency.DAYS,
        fails_at=11.0,
    ),
)

# the share and what an hour of idling burns are the order of a 20 t machine's; engineering defaults
ADVICE = (
    IdleShare(
        "idling",
        "Stop the engine in pauses, or let it stop itself after a few minutes",
        "停顿时熄火，或启用怠速自动熄火",
        idle=(1,),
        on=(1, 2, 3, 4),
        target=0.25,
        per_hour=4.0,
        unit="L",
    ),
)

HOUR_S = 3600.0

# J1939 names the signal and what its faults are called (FMI), the engine's maker says where they begin. The
# coolant's values are the defaults of one common maker's engines, others are near. A machine that is off has
# not recovered, so all are kept again only after more than a Sunday. Delays are engineering defaults.
LIMITS = (
    StandardLimit(
        "coolant_temperature",
        108.0,
        "SAE J1939-71, SPN 110, FMI 15; value: engine maker",
        "Coolant hot",
        "冷却液温度高",
        "Let the engine idle and cool down; clean the radiator, check the coolant's level.",
        "怠速降温，清洁散热器，检查冷却液液位。",
        deadband=1.1,
        on_delay_s=60.0,
        off_delay_s=42 * HOUR_S,
    ),
    StandardLimit(
        "coolant_temperature",
        114.0,
        "SAE J1939-71, SPN 110, FMI 0; value: engine maker",
        "Coolant so hot that the engine takes damage",
        "冷却液温度过高，发动机有损坏风险",
        "Stop the engine once it has idled for a few minutes; find the cause before it works again.",
        "怠速数分钟后停机，查明原因后方可作业。",
        deadband=1.1,
        on_delay_s=60.0,
        off_delay_s=42 * HOUR_S,
    ),
    StandardLimit(
        "hydraulic_oil_temperature",
        90.0,
        "SAE J1939-71, SPN 1638; value: machine maker",
        "Hydraulic oil hotter than seals and viscosity endure",
        "液压油温度超过允许值",
        "Work lighter until it has cooled; clean the oil cooler, check the relief valves.",
        "减轻作业至油温下降，清洁散热器，检查溢流阀。",
        deadband=0.9,
        on_delay_s=60.0,
        off_delay_s=42 * HOUR_S,
    ),
    # 6.2 kPa are 25 inches of water, where indicators turn red
    StandardLimit(
        "air_filter_pressure",
        6.2,
        "SAE J1939-71, SPN 107; value: filter maker",
        "Air filter has to be changed",
        "空滤需更换",
        "Change the air filter.",
        "更换空气滤清器。",
        deadband=0.3,
        on_delay_s=60.0,
        off_delay_s=42 * HOUR_S,
    ),
)

MEASURED = tuple(channel.name for channel in CHANNELS if channel.kind == "measurement")

PACK = VerticalPack(
    EquipmentType("excavator", CHANNELS, "Hydraulic excavator", "液压挖掘机"),
    # tuned on the simulated fleet at one row a minute; rests at night and from Saturday to Monday
    Detection(
        on_score=4.0,
        off_delay_s=42 * HOUR_S,
        baseline_rows=800,
        health_tau_s=24 * HOUR_S,
        d_fail=10.0,
        idle=(0, 1),
        # what is at work for eight hours a day
        ambient=("ambient_temperature",),
        beside=(ChangePoints(MEASURED, baseline=96, windows=(6, 12, 24)),),
    ),
    WEAR,
    FAULT_MODES,
    LIMITS,
    advice=ADVICE,
)
