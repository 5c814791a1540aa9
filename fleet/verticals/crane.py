"""Tower cranes.

A row speaks of the latest lift; what belongs to a lift is missing while the crane rests. Ranges of channels
are what common sensors can report and, like detection parameters and limits without a source, engineering
defaults. Classes of ISO 4301-1 are a crane's own; here they are those of group A4 and of a hoist of group M5.
"""

from fleet.asset import Channel, EquipmentType
from fleet.beside import ChangePoints
from fleet.modelled_wear import ModelledWear, Reading
from fleet.sign import Urgency, up
from fleet.standard_limit import StandardLimit
from fleet.vertical import Detection, FaultMode, VerticalPack, WearCounter
from forecasting.wear.load_spectrum import LoadSpectrum

PER_MINUTE = 1 / 60

CHANNELS = (
    # 0 rests, 1 lifts: from slinging a load to the hook's return
    Channel("motion", "1", 0, 1, "state", PER_MINUTE, "Motion", "动作"),
    # of the rated capacity, and of the rated moment at this radius: what the crane's limiters watch
    Channel("hoist_load", "%", 0, 150, "setpoint", PER_MINUTE, "Load", "起重量百分比"),
    Channel("load_moment", "%", 0, 150, "setpoint", PER_MINUTE, "Load moment", "力矩百分比"),
    Channel("wind_speed", "m/s", 0, 60, "setpoint", PER_MINUTE, "Wind speed at the top", "塔顶风速"),
    Channel("ambient_temperature", "°C", -50, 60, "setpoint", PER_MINUTE, "Ambient temperature", "环境温度"),
    Channel("hoist_speed", "m/min", 0, 250, "setpoint", PER_MINUTE, "Hoisting speed", "起升速度"),
    Channel("hoist_motor_current", "A", 0, 400, "measurement", PER_MINUTE, "Hoist motor current", "起升电流"),
    Channel(
        "hoist_motor_temperature",
        "°C",
        -50,
        220,
        "measurement",
        PER_MINUTE,
        "Hoist motor temperature",
        "起升电机温度",
    ),
    # measured minus what current and surroundings explain, as the drive's thermal model has it
    Channel(
        "hoist_motor_residual",
        "K",
        -60,
        150,
        "measurement",
        PER_MINUTE,
        "Hoist motor above model",
        "起升电机温度残差",
    ),
    Channel(
        "brake_temperature", "°C", -50, 400, "measurement", PER_MINUTE, "Brake temperature", "制动器温度"
    ),
    # the hook's way from the command to stop to its standstill, converted to the rated load
    Channel(
        "brake_stopping_distance",
        "mm",
        0,
        2_000,
        "measurement",
        PER_MINUTE,
        "Stopping distance of the brake",
        "制动下滑距离",
    ),
    Channel(
        "hoist_gear_temperature",
        "°C",
        -50,
        150,
        "measurement",
        PER_MINUTE,
        "Hoist gear oil temperature",
        "起升减速机油温",
    ),
    Channel(
        "hoist_vibration", "mm/s", 0, 50, "measurement", PER_MINUTE, "Hoist gear vibration", "起升减速机振动"
    ),
    Channel("slewing_current", "A", 0, 200, "measurement", PER_MINUTE, "Slewing motor current", "回转电流"),
    Channel(
        "slewing_vibration",
        "mm/s",
        0,
        50,
        "measurement",
        PER_MINUTE,
        "Slewing bearing vibration",
        "回转支承振动",
    ),
    Channel("mast_tilt", "°", 0, 10, "measurement", PER_MINUTE, "Tilt of the mast", "塔身倾斜"),
    # uniform decrease against the nominal diameter, by an optical or magnetic rope monitor
    Channel(
        "rope_diameter_loss", "%", 0, 50, "measurement", PER_MINUTE, "Rope diameter lost", "钢丝绳直径减小率"
    ),
    Channel("lifts", "1", 0, float("inf"), "counter", PER_MINUTE, "Working cycles", "工作循环次数"),
    Channel("hoist_time", "h", 0, float("inf"), "counter", PER_MINUTE, "Hoisting time", "起升机构工时"),
    Channel("rope_bends", "1", 0, float("inf"), "counter", PER_MINUTE, "Rope bends", "钢丝绳弯曲次数"),
)

WEAR = (
    # class of utilization U4 (ISO 4301-1): 250 000 working cycles
    WearCounter(
        "working-cycles",
        "lifts",
        225_000,
        250_000,
        "1",
        title_en="Working cycles of the design life",
        title_zh="设计寿命工作循环",
    ),
    # class of utilization T5 of a mechanism (ISO 4301-1): 6300 h
    WearCounter("hoist", "hoist_time", 5_000, 6_300, "h", title_en="Hoisting time", title_zh="起升机构工时"),
    # how many bends a rope endures depends on rope, sheave and force (ISO 16625; Feyrer); engineering default
    WearCounter(
        "rope", "rope_bends", 240_000, 300_000, "1", title_en="Rope bends", title_zh="钢丝绳弯曲次数"
    ),
)

MODELLED = (
    # what the loads were worth beside the count of cycles: Kp of ISO 4301-1, to be assessed by ISO 12482
    ModelledWear(
        "load-spectrum",
        LoadSpectrum("U4", "Q2"),
        (Reading("lifts"), Reading("hoist_load")),
        "Full-load cycles of the design life",
        "设计寿命满载当量循环",
    ),
)

# The more specific mode comes first. `fails_at` is as the simulated machines have it: docs/packs.md.
FAULT_MODES = (
    FaultMode(
        "hoist-gear",
        "Hoist gear or its bearings damaged",
        "起升减速机齿轮或轴承损伤",
        ("hoist_vibration", "hoist_gear_temperature"),
        "Check oil level and look for metal in it; take a vibration spectrum at constant speed.",
        "检查油位与油中金属屑，恒速采集振动频谱。",
        signs=(up("hoist_vibration"), up("hoist_gear_temperature")),
        failure_code="VIB",
        parts_en="Bearing set and seals of the hoist gear, gear oil.",
        parts_zh="减速机轴承与油封、齿轮油。",
        urgency=Urgency.DAYS,
        fails_at=5.0,
    ),
    FaultMode(
        "brake-drag",
        "Hoist brake does not release fully",
        "起升制动器未完全释放",
        ("brake_temperature", "hoist_motor_current"),
        "Measure the brake's air gap and release voltage; look for glazed lining.",
        "测量制动器间隙与释放电压，检查摩擦片是否发亮。",
        signs=(up("brake_temperature"), up("hoist_motor_current")),
        failure_code="OHE",
        parts_en="Brake lining, brake coil or thruster.",
        parts_zh="制动摩擦片、制动线圈或推动器。",
        urgency=Urgency.DAYS,
        fails_at=3.0,
    ),
    FaultMode(
        "brake-wear",
        "Hoist brake lining worn",
        "起升制动器摩擦片磨损",
        ("brake_stopping_distance",),
        "Test the brake with the rated load; measure lining thickness and spring length, adjust or replace.",
        "以额定载荷试验制动，测量摩擦片厚度与弹簧长度，调整或更换。",
        signs=(up("brake_stopping_distance"),),
        failure_code="STP",
        parts_en="Brake lining, brake springs.",
        parts_zh="制动摩擦片、制动弹簧。",
        urgency=Urgency.NOW,
        fails_at=4.1,
    ),
    FaultMode(
        "motor-cooling",
        "Hoist motor runs hot",
        "起升电机过热",
        ("hoist_motor_residual", "hoist_motor_temperature"),
        "Check the motor's separate fan, its filter and the duty it is used at.",
        "检查电机强制风扇、滤网及工作制。",
        signs=(up("hoist_motor_residual"), up("hoist_motor_temperature")),
        failure_code="OHE",
        parts_en="Separate fan, filter mats.",
        parts_zh="强制风扇、过滤棉。",
        fails_at=12.0,
    ),
    FaultMode(
        "slewing-bearing",
        "Slewing bearing or pinion worn",
        "回转支承或小齿轮磨损",
        ("slewing_vibration", "slewing_current"),
        "Grease bearing and gear; measure the bearing's tilting play and the torque of its bolts.",
        "润滑回转支承与齿圈，测量轴向间隙及螺栓扭矩。",
        signs=(up("slewing_vibration"), up("slewing_current")),
        failure_code="VIB",
        parts_en="Grease, bearing bolts, slewing pinion.",
        parts_zh="润滑脂、支承螺栓、回转小齿轮。",
        fails_at=5.4,
    ),
    FaultMode(
        "rope-wear",
        "Hoist rope worn",
        "起升钢丝绳磨损",
        ("rope_diameter_loss",),
        "Inspect the rope over its length for broken wires, corrosion and diameter (ISO 4309).",
        "全长检查钢丝绳断丝、锈蚀及直径（ISO 4309 / GB/T 5972）。",
        signs=(up("rope_diameter_loss"),),
        failure_code="STD",
        parts_en="Hoist rope, rope clamps.",
        parts_zh="起升钢丝绳、绳夹。",
        urgency=Urgency.DAYS,
        fails_at=9.5,
    ),
    FaultMode(
        "mast-foundation",
        "Mast leans: foundation, bolts or anchorage give way",
        "塔身倾斜：基础、螺栓或附着松动",
        ("mast_tilt",),
        "Stop work; survey the mast, check the foundation, mast bolts and wall ties.",
        "停止作业，测量塔身垂直度，检查基础、标准节螺栓及附着。",
        signs=(up("mast_tilt"),),
        failure_code="STD",
        parts_en="Mast bolts, wall ties, shims.",
        parts_zh="标准节螺栓、附着杆、垫片。",
        urgency=Urgency.NOW,
        fails_at=9.9,
    ),
)

HOUR_S = 3600.0

# Values are from memory and from what cites the standards, not read in them. Deadbands and delays are
# engineering defaults: an overload counts at once, and is told until the next day's work.
LIMITS = (
    StandardLimit(
        "load_moment",
        110.0,
        "EN 14439 / GB/T 5031, load moment limiter",
        "Load moment beyond what the limiter may let through",
        "力矩超过限制器动作值",
        "Set the load down and bring it in; test the load moment limiter before the next lift.",
        "立即放下载荷或减小幅度，下次起吊前校验力矩限制器。",
        deadband=5.0,
        off_delay_s=12 * HOUR_S,
    ),
    StandardLimit(
        "hoist_load",
        110.0,
        "EN 14439 / GB/T 5031, rated capacity limiter",
        "Load beyond what the limiter may let through",
        "起重量超过限制器动作值",
        "Set the load down; test the rated capacity limiter before the next lift.",
        "立即放下载荷，下次起吊前校验起重量限制器。",
        deadband=5.0,
        off_delay_s=12 * HOUR_S,
    ),
    StandardLimit(
        "wind_speed",
        20.0,
        "ISO 4302, table 1, normal",
        "Wind too strong to work",
        "风速超过工作允许值",
        "Set the load down, release the slewing brake and leave the crane to weathervane.",
        "放下载荷，松开回转制动，使塔机随风自由回转。",
        deadband=1.0,
        on_delay_s=60.0,
        off_delay_s=600.0,
    ),
    StandardLimit(
        "rope_diameter_loss",
        5.0,
        "ISO 4309, table 5, rotation-resistant rope",
        "Rope to be discarded: diameter",
        "钢丝绳直径减小达到报废标准",
        "Take the crane out of service and replace the rope.",
        "停机并更换钢丝绳。",
        deadband=0.5,
        on_delay_s=1800.0,
        off_delay_s=24 * HOUR_S,
    ),
    # 4 mm on a metre
    StandardLimit(
        "mast_tilt",
        0.23,
        "GB/T 5031, 4/1000 from the vertical",
        "Mast leans more than is allowed",
        "塔身垂直度超过允许值",
        "Take the crane out of service; survey the mast and check foundation and wall ties.",
        "停机，测量塔身垂直度，检查基础与附着。",
        deadband=0.02,
        on_delay_s=1800.0,
        off_delay_s=24 * HOUR_S,
    ),
    StandardLimit(
        "hoist_motor_temperature",
        155.0,
        "IEC 60034-1, thermal class 155 (F)",
        "Hoist motor hotter than its insulation endures",
        "起升电机温度超过绝缘等级",
        "Let the motor cool with its fan on; check the fan and the duty it is used at.",
        "开启风扇冷却电机，检查风扇及工作制。",
        deadband=1.55,
        on_delay_s=60.0,
        off_delay_s=12 * HOUR_S,
    ),
    StandardLimit(
        "brake_temperature",
        200.0,
        "maker of the brake, organic lining",
        "Brake so hot that its lining fades",
        "制动器过热，摩擦片衰退",
        "Let the brake cool; measure its air gap and test it with the rated load.",
        "冷却制动器，测量间隙并以额定载荷试验。",
        deadband=2.0,
        on_delay_s=60.0,
        off_delay_s=12 * HOUR_S,
    ),
)

# What jumps as the crane lifts, slews and stops.
IMPULSIVE = (
    "hoist_motor_current",
    "brake_stopping_distance",
    "hoist_vibration",
    "slewing_current",
    "slewing_vibration",
)

MEASURED = tuple(channel.name for channel in CHANNELS if channel.kind == "measurement")

PACK = VerticalPack(
    EquipmentType("crane", CHANNELS, "Tower crane", "塔式起重机"),
    # tuned on the simulated fleet at one row a minute; rests at night and from Saturday to Monday
    Detection(
        on_score=4.0,
        off_delay_s=42 * HOUR_S,
        baseline_rows=600,
        health_tau_s=24 * HOUR_S,
        d_fail=8.0,
        idle=(0,),
        # what is at work for eight hours a day
        ambient=("ambient_temperature",),
        beside=(ChangePoints(MEASURED, baseline=96, windows=(6, 12, 24)),),
    ),
    WEAR,
    FAULT_MODES,
    LIMITS,
    MODELLED,
    impulsive=IMPULSIVE,
)
