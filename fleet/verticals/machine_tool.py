"""Machining centres.

`program` tells the regime: what is normal depends on what is being cut. Ranges of channels are what common
controllers can report and, like detection parameters and limits without a source, engineering defaults.
"""

from math import pi

from detectors.segments import Take
from detectors.vibration_severity import Size, VibrationSeverity
from fleet.asset import Channel, EquipmentType
from fleet.beside import ChangePoints
from fleet.idle_advice import Availability, IdleEnergy
from fleet.measuring_point import MeasuringPoint
from fleet.modelled_wear import RatedWear, Reading
from fleet.part_wear import PartWear
from fleet.rating import Rating, Ratings
from fleet.segment import Feature, Segment
from fleet.sign import Urgency, down, up
from fleet.standard_limit import vibration_limits
from fleet.vertical import Detection, FaultMode, VerticalPack, WearCounter
from forecasting.wear.bearing import BALL, ROLLER, BearingLife, RollingBearing
from forecasting.wear.tool import CuttingTool, ToolLife

CHANNELS = (
    # 0 while nothing is executed (MTConnect EXECUTION), else the gateway's number of the PROGRAM, from 1
    Channel("program", "1", 0, 99, "state", title_en="Program", title_zh="加工程序"),
    Channel("spindle_speed", "r/min", 0, 30_000, "setpoint", title_en="Spindle speed", title_zh="主轴转速"),
    Channel("spindle_load", "%", 0, 300, title_en="Spindle load", title_zh="主轴负载"),
    Channel(
        "spindle_temperature", "°C", -10, 150, title_en="Spindle bearing temperature", title_zh="主轴轴承温度"
    ),
    # RMS velocity, 10 to 1000 Hz, as ISO 20816-3 has it
    Channel("spindle_vibration", "mm/s", 0, 50, title_en="Spindle vibration", title_zh="主轴振动"),
    Channel("spindle_envelope", "m/s²", 0, 500, title_en="Spindle bearing envelope", title_zh="主轴轴承包络"),
    Channel("feed_axis_load", "%", 0, 300, title_en="Feed axis load", title_zh="进给轴负载"),
    Channel("axis_position_error", "µm", 0, 500, title_en="Axis following error", title_zh="轴跟随误差"),
    Channel("coolant_pressure", "bar", 0, 100, title_en="Coolant pressure", title_zh="冷却液压力"),
    Channel("lubrication_pressure", "bar", 0, 60, title_en="Lubrication pressure", title_zh="润滑压力"),
    Channel("shop_temperature", "°C", -20, 60, "setpoint", title_en="Shop temperature", title_zh="车间温度"),
    Channel("parts", "1", 0, kind="counter", title_en="Parts made", title_zh="工件计数"),
    Channel("axis_travel", "km", 0, kind="counter", title_en="Axis travel", title_zh="轴累计行程"),
    # what waveforms show of the spindle's front bearing, where they are sent: docs/waveforms.md
    Channel("spindle_kurtosis", "1", 0, 1000, title_en="Spindle vibration kurtosis", title_zh="主轴振动峭度"),
    Channel(
        "spindle_bpfo", "dB", -20, 120, title_en="Spindle bearing, outer ring", title_zh="主轴轴承外圈特征"
    ),
    Channel(
        "spindle_bpfi", "dB", -20, 120, title_en="Spindle bearing, inner ring", title_zh="主轴轴承内圈特征"
    ),
    Channel("spindle_bsf", "dB", -20, 120, title_en="Spindle bearing, balls", title_zh="主轴轴承滚动体特征"),
    # 0 while none is in the spindle (MTConnect TOOL_NUMBER)
    Channel("tool", "1", 0, 9_999, "state", title_en="Tool in use", title_zh="当前刀具号"),
    # of the tool in use, as the control counts it and sets it back when a new one is put in: no measurement
    Channel("tool_life", "%", 0, 1_000, "setpoint", title_en="Tool life used", title_zh="刀具寿命消耗"),
    # the meter at the machine's supply, which ISO 14955-2 measures at (from memory)
    Channel("energy_used", "kWh", 0, kind="counter", title_en="Energy used", title_zh="累计用电量"),
    # while the test program runs, as `TEST_AXES` and `TEST_SPEEDS` number it, 0 else; `program` is 0 then
    Channel("test_step", "1", 0, 99, "state", title_en="Step of the test program", title_zh="测试程序步骤"),
    # along the path (MTConnect PATH_FEEDRATE); few machines tell the depth
    Channel("feed_rate", "mm/min", 0, 100_000, "setpoint", title_en="Feed rate", title_zh="进给速度"),
    Channel("cut_depth", "mm", 0, 200, "setpoint", title_en="Depth of cut", title_zh="切削深度"),
)

TEST_AXES = "XYZ"
"""An axis after the other goes over its full travel at a set feed: to its plus end, back, and then to and fro
by a little. Steps 1 to 3 are of the first one, and so on; nothing else moves meanwhile."""

TEST_SPEEDS = ("low", "低速"), ("middle", "中速"), ("high", "高速")
"""Then the spindle turns at set speeds without cutting, a step each."""

# RMS velocity as ISO 20816-1 has it, lines of the envelope as ISO 13373-2 does (both from memory). The band
# is where housings of spindles ring; engineering default, open to blocks from 12.8 kHz on.
POINTS = (
    MeasuringPoint(
        "spindle",
        "spindle_speed",
        "spindle_bearing",
        (2000.0, 5000.0),
        velocity="spindle_vibration",
        envelope="spindle_envelope",
        lines=("spindle_bpfo", "spindle_bpfi", "spindle_bsf"),
        kurtosis="spindle_kurtosis",
    ),
)

WEAR = (
    # order of the rating life of a motor spindle's bearings (ISO 281 L10h); engineering default
    WearCounter(
        "spindle",
        "spindle_speed",
        16_000,
        20_000,
        "h",
        above=100.0,
        title_en="Spindle hours",
        title_zh="主轴运行时间",
    ),
    # rating life of a ball guide (ISO 14728-1): 50 km (C/P)³ with C/P = 5 is 6250 km
    WearCounter("guide", "axis_travel", 5_000, 6_250, "km", title_en="Guideway travel", title_zh="导轨行程"),
)

CONTACT = {"ball": BALL, "roller": ROLLER}


def _spindle_bearing(ratings: Ratings) -> tuple[BearingLife, tuple[Reading, ...]]:
    exponent = CONTACT[str(ratings["spindle_bearing_contact"])]
    said = {name: float(value) for name, value in ratings.items() if name != "spindle_bearing_contact"}
    bearing = RollingBearing(said["spindle_bearing_dynamic"], exponent)
    load = Reading("spindle_load", said["spindle_bearing_load"] / 100, said["spindle_bearing_preload"])
    return BearingLife(bearing), (load, Reading("spindle_speed"))


def _tool(ratings: Ratings) -> tuple[ToolLife, tuple[Reading, ...]]:
    """Cutting speed at the tool's circumference; feed a tooth and depth of cut where they have exponents.

    The constant holds at the feed and depth that are rated. At these a feed or depth counts that is not told:
    then Taylor's plain equation is left.
    """
    said = {name: float(value) for name, value in ratings.items()}
    a, b = said["tool_feed_exponent"], said["tool_depth_exponent"]
    constant = said["tool_constant"] * said["tool_feed"] ** a * said["tool_depth"] ** b
    speed = Reading("spindle_speed", pi * said["tool_diameter"] / 1000)
    feed = Reading("feed_rate", 1 / said["tool_teeth"], per="spindle_speed", untold=said["tool_feed"])
    depth = Reading("cut_depth", untold=said["tool_depth"])
    tool = CuttingTool(said["tool_n"], constant, a, b)
    return ToolLife(tool), (speed, *([feed] if a else []), *([depth] if b else []))


PARTS = PartWear(
    RatedWear(
        "tool",
        (
            Rating("tool_diameter", "mm", needed=True),
            # Taylor's constants of the edge in its material (ISO 3685): n and C, m/min for a life of a minute
            Rating("tool_n", needed=True),
            Rating("tool_constant", "m/min", needed=True),
            # of feed and depth of cut in the extended equation, and those for which the constant was measured
            Rating("tool_feed_exponent", default=0.0),
            Rating("tool_depth_exponent", default=0.0),
            Rating("tool_feed", "mm", default=1.0),
            Rating("tool_depth", "mm", default=1.0),
            Rating("tool_teeth", default=1.0),
        ),
        _tool,
        {"tool_diameter": 16.0, "tool_n": 0.25, "tool_constant": 900.0},
        "",
        "Tool",
        "刀具",
    ),
    "tool",
    "tool_life",
)

MODELLED = (
    RatedWear(
        "spindle-bearing",
        (
            Rating("spindle_bearing_dynamic", "kN", needed=True),
            # equivalent load at 100 % spindle load, beyond the preload
            Rating("spindle_bearing_load", "kN", needed=True),
            Rating("spindle_bearing_preload", "kN", default=0.0),
            # fast spindles run on angular contact ball bearings
            Rating("spindle_bearing_contact", choices=tuple(CONTACT), default="ball"),
            Rating("spindle_bearing_used", default=0.0),
        ),
        _spindle_bearing,
        {"spindle_bearing_dynamic": 14.0, "spindle_bearing_load": 2.0},
        "spindle_bearing_used",
        "Spindle bearing rating life used",
        "主轴轴承额定寿命消耗",
    ),
)

# The more specific mode comes first. `fails_at` is as the simulated machines have it: docs/packs.md.
FAULT_MODES = (
    FaultMode(
        "spindle-bearing",
        "Spindle bearing damage",
        "主轴轴承损伤",
        (
            "spindle_envelope",
            "spindle_vibration",
            "spindle_temperature",
            "spindle_bpfo",
            "spindle_bpfi",
            "spindle_bsf",
        ),
        "Take an envelope spectrum at constant speed without cutting; check preload and lubrication.",
        "空载恒速采集包络谱，检查轴承预紧与润滑。",
        signs=(
            up("spindle_envelope", 2.0),
            up("spindle_vibration"),
            up("spindle_temperature", 0.5),
            # one of them is enough: damage begins at one place (ISO 15243)
            up("spindle_bpfo", 2.0),
            up("spindle_bpfi", 2.0),
            up("spindle_bsf", 2.0),
        ),
        failure_code="VIB",
        wear=("spindle", "spindle-bearing"),
        parts_en="Spindle bearings or exchange spindle.",
        parts_zh="主轴轴承或备用主轴。",
        urgency=Urgency.DAYS,
        fails_at=11.0,
    ),
    FaultMode(
        "tool-breakage",
        "Tool broken",
        "刀具断裂",
        ("spindle_load", "feed_axis_load"),
        "Stop before the next part; measure the tools' lengths, and check the parts made since.",
        "加工下一件前停机，测量刀具长度，并检查此后加工的工件。",
        # a broken tool meets the material no more: its cuts take little more than air does
        signs=(down("spindle_load", 2.0), down("feed_axis_load")),
        failure_code="BRD",
        parts_en="Sister tool, tool holder.",
        parts_zh="备用刀具、刀柄。",
        urgency=Urgency.NOW,
        fails_at=2.7,
    ),
    FaultMode(
        "tool-wear",
        "Tool worn or chipped",
        "刀具磨损或崩刃",
        ("spindle_load", "feed_axis_load", "spindle_vibration"),
        "Inspect the cutting edge (flank wear 0.3 mm, ISO 8688-2) and the tool life setting.",
        "检查刀刃（后刀面磨损 0.3 mm，ISO 8688-2）及刀具寿命设定。",
        signs=(up("spindle_load", 2.0), up("feed_axis_load"), up("spindle_vibration")),
        failure_code="STD",
        parts_en="Inserts or sister tool.",
        parts_zh="刀片或备用刀具。",
        urgency=Urgency.NOW,
        fails_at=9.2,
    ),
    FaultMode(
        "ball-screw",
        "Ball screw or guide worn",
        "滚珠丝杠或导轨磨损",
        ("axis_position_error", "feed_axis_load"),
        "Measure backlash and run a circularity test (ISO 230-4); check the guide's lubrication.",
        "测量反向间隙并做圆度测试（ISO 230-4），检查导轨润滑。",
        signs=(up("axis_position_error", 2.0), up("feed_axis_load")),
        failure_code="PDE",
        wear=("guide",),
        parts_en="Ball screw nut, guide carriages, wipers.",
        parts_zh="丝杠螺母、导轨滑块、刮屑板。",
        fails_at=11.0,
    ),
    FaultMode(
        "coolant",
        "Coolant supply weak",
        "冷却液供给不足",
        ("coolant_pressure",),
        "Check the coolant level, the filter and the pump.",
        "检查冷却液液位、过滤器和泵。",
        signs=(down("coolant_pressure"),),
        failure_code="LOO",
        parts_en="Coolant, filter, pump seals.",
        parts_zh="冷却液、过滤器、泵密封件。",
        urgency=Urgency.DAYS,
        fails_at=8.3,
    ),
    FaultMode(
        "lubrication",
        "Central lubrication weak",
        "集中润滑不足",
        ("lubrication_pressure", "feed_axis_load"),
        "Check the oil level, the lines and the metering valves.",
        "检查油位、管路及分配阀。",
        # dry guides rub, which the forces of a cut hide: program 0, as in the test program
        signs=(down("lubrication_pressure"), up("feed_axis_load", 0.3, (0,))),
        failure_code="LOO",
        parts_en="Lubricating oil, metering valves.",
        parts_zh="润滑油、分配阀。",
        urgency=Urgency.DAYS,
        fails_at=16.0,
    ),
)

# Availability of 85 % is what good shops reach; the powers are the order of a machining centre's base load
# and of a spindle that turns without cutting. All are engineering defaults.
ADVICE = (
    Availability(
        "availability",
        "Shorten what stands between two cycles: loading, set-up, waiting",
        "缩短两次加工之间的停顿：上下料、换产、等待",
        idle=(0,),
    ),
    IdleEnergy(
        "switch-off",
        "Switch hydraulics, coolant and drives off when no work follows",
        "无后续加工时关闭液压、冷却与驱动",
        idle=(0,),
        saved_kw=1.5,
    ),
    IdleEnergy(
        "idle-spindle",
        "Stop the spindle when no program runs",
        "无程序运行时停止主轴",
        idle=(0,),
        saved_kw=1.0,
        least=0.02,
        channel="spindle_speed",
        above=100.0,
    ),
)

# A machine of 15 to 300 kW on a rigid support. ISO/TR 17243 is made for spindles, and its zones are to be had
# from it alone, so these stand in for them: an engineering default, as are the delays. A machine that rests
# at night, or between two programs that shake, has not recovered.
LIMITS = vibration_limits(
    "spindle_vibration",
    VibrationSeverity(Size.MEDIUM, flexible=False),
    on_delay_s=120.0,
    off_delay_s=36 * 3600.0,
)

# Controllers report 1 to 10 times a second; at rows further apart than these a program's begin and end blur.
# Each program is compared with itself: what is normal depends on what is cut. A few days of one teach.
SEGMENTS = (
    Segment(
        "program",
        "program",
        tuple(range(1, 100)),
        (
            Feature("program_duration", Take.SECONDS, "program", "Duration of the program", "程序运行时间"),
            Feature(
                "program_load", Take.MEAN, "spindle_load", "Spindle load of the program", "程序平均主轴负载"
            ),
            Feature(
                "program_load_peak",
                Take.PEAK,
                "spindle_load",
                "Largest spindle load of the program",
                "程序最大主轴负载",
            ),
            Feature(
                "program_feed", Take.MEAN, "feed_axis_load", "Feed load of the program", "程序平均进给负载"
            ),
            Feature(
                "program_vibration",
                Take.MEAN,
                "spindle_vibration",
                "Spindle vibration of the program",
                "程序平均主轴振动",
            ),
            Feature(
                "program_vibration_peak",
                Take.PEAK,
                "spindle_vibration",
                "Largest spindle vibration of the program",
                "程序最大主轴振动",
            ),
        ),
        baseline=100,
        apart_s=10.0,
        longest_s=4 * 3600.0,
    ),
)


def _axis_features(number: int, axis: str) -> tuple[Feature, ...]:
    forth, back, turning = (3 * number + k for k in (1, 2, 3))
    name, load = f"test_{axis.lower()}", "feed_axis_load"
    return (
        Feature(
            f"{name}_load_forth",
            Take.MEAN,
            load,
            f"Test load of axis {axis}+",
            f"{axis} 轴正向测试负载",
            (forth,),
        ),
        Feature(
            f"{name}_load_back",
            Take.MEAN,
            load,
            f"Test load of axis {axis}-",
            f"{axis} 轴负向测试负载",
            (back,),
        ),
        # a hard spot of the screw shows in the largest load before it does in the mean
        Feature(
            f"{name}_load_peak",
            Take.PEAK,
            load,
            f"Largest test load of axis {axis}",
            f"{axis} 轴最大测试负载",
            (forth, back),
        ),
        Feature(
            f"{name}_reversal",
            Take.MEAN,
            "axis_position_error",
            f"Reversal error of axis {axis} in the test",
            f"{axis} 轴测试反向误差",
            (turning,),
        ),
    )


def _spindle_features(step: int, speed_en: str, speed_zh: str) -> tuple[Feature, ...]:
    name, at = f"test_spindle_{speed_en}", f"in the test at {speed_en} speed"
    return (
        Feature(
            f"{name}_load",
            Take.MEAN,
            "spindle_load",
            f"Spindle load {at}",
            f"{speed_zh}测试主轴负载",
            (step,),
        ),
        Feature(
            f"{name}_vibration",
            Take.MEAN,
            "spindle_vibration",
            f"Spindle vibration {at}",
            f"{speed_zh}测试主轴振动",
            (step,),
        ),
        Feature(
            f"{name}_envelope",
            Take.MEAN,
            "spindle_envelope",
            f"Spindle bearing envelope {at}",
            f"{speed_zh}测试主轴轴承包络",
            (step,),
        ),
    )


FIRST_SPEED = 3 * len(TEST_AXES) + 1
STEPS = tuple(range(1, FIRST_SPEED + len(TEST_SPEEDS)))

# The fingerprint: once a day or so, whatever is being cut. What a month of days shows is compared with from
# then on, and five days count together, where five of many a day's programs would be as many accidents.
FINGERPRINT = Segment(
    "fingerprint",
    "test_step",
    STEPS,
    (
        *(feature for k, axis in enumerate(TEST_AXES) for feature in _axis_features(k, axis)),
        *(one for k, said in enumerate(TEST_SPEEDS) for one in _spindle_features(FIRST_SPEED + k, *said)),
        Feature(
            "test_lubrication",
            Take.MEAN,
            "lubrication_pressure",
            "Lubrication pressure in the test",
            "测试润滑压力",
            STEPS[: FIRST_SPEED - 1],
        ),
    ),
    baseline=30,
    phases=True,
    longest_s=3600.0,
    span=5,
    modes=("spindle-bearing", "ball-screw", "lubrication"),
    kept=True,
)

MEASURED = tuple(channel.name for channel in CHANNELS if channel.kind == "measurement")

PACK = VerticalPack(
    EquipmentType("machine-tool", CHANNELS, "Machining centre", "加工中心"),
    # tuned on the simulated fleet at one row a minute; rests at night
    Detection(
        on_score=6.0,
        off_delay_s=36 * 3600.0,
        baseline_rows=1200,
        health_tau_s=36 * 3600.0,
        d_fail=10.0,
        idle=(0,),
        ambient=("shop_temperature",),
        beside=(ChangePoints(MEASURED, score=5.0),),
    ),
    WEAR,
    FAULT_MODES,
    LIMITS,
    MODELLED,
    advice=ADVICE,
    segments=(*SEGMENTS, FINGERPRINT),
    points=POINTS,
    parts=PARTS,
)
