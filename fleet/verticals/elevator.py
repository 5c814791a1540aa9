"""Traction elevators.

A row speaks of the time since the row before it: `motion` tells whether the car ran in it, and what belongs
to a trip or a door cycle is missing while the car stands. Ranges of channels are what common sensors can
report and, like detection parameters and wear limits without a source, engineering defaults.
"""

from detectors.ride_weighting import HORIZONTAL, VERTICAL
from detectors.segments import Take, Window
from fleet.asset import Channel, EquipmentType
from fleet.beside import ChangePoints
from fleet.cycle_advice import ExcessCycles
from fleet.idle_advice import IdleEnergy
from fleet.modelled_wear import RatedWear, Reading
from fleet.rating import Rating, Ratings
from fleet.ride_point import Drive, RidePoint
from fleet.segment import Feature, Segment
from fleet.sign import Urgency, up
from fleet.standard_limit import StandardLimit, either_way
from fleet.vertical import Detection, FaultMode, VerticalPack, WearCounter
from forecasting.wear.operations import Operations
from forecasting.wear.rope import STRENGTH, RopeBends, RopeDrive

CHANNELS = (
    # 0 standing, 1 up, 2 down: the direction field of GB/T 24476, as is the running time
    Channel("motion", "1", 0, 2, "state", title_en="Direction of motion", title_zh="运行方向"),
    # 125 % of the rated load is the brake's test load (GB/T 7588.1 = EN 81-20)
    Channel("car_load", "%", 0, 125, "setpoint", title_en="Car load", title_zh="轿厢载荷"),
    Channel("speed", "m/s", 0, 10, title_en="Car speed", title_zh="轿厢速度"),
    Channel("motor_current", "A", 0, 150, title_en="Motor current", title_zh="曳引机电流"),
    Channel("motor_temperature", "°C", -20, 180, title_en="Motor temperature", title_zh="曳引机温度"),
    Channel("brake_temperature", "°C", -20, 250, title_en="Brake temperature", title_zh="制动器温度"),
    # peak to peak as in ISO 18738-1; GB/T 10058 accepts 0.30 vertical and 0.20 horizontal
    Channel("vibration_vertical", "m/s²", 0, 5, title_en="Vertical vibration", title_zh="垂直振动"),
    Channel("vibration_horizontal", "m/s²", 0, 5, title_en="Horizontal vibration", title_zh="水平振动"),
    # EN 81-20: stopping accuracy 10 mm, holding accuracy 20 mm
    Channel("levelling_error", "mm", -200, 200, title_en="Levelling error", title_zh="平层误差"),
    Channel("door_motor_current", "A", 0, 20, title_en="Door motor current", title_zh="门机电流"),
    Channel("door_close_time", "s", 0, 30, title_en="Door closing time", title_zh="关门时间"),
    # the weather's doing, so it is not scored
    Channel(
        "machine_room_temperature",
        "°C",
        -30,
        70,
        "setpoint",
        title_en="Machine room temperature",
        title_zh="机房温度",
    ),
    Channel("running_time", "h", 0, kind="counter", title_en="Running time", title_zh="累计运行时间"),
    Channel("trips", "1", 0, kind="counter", title_en="Trips", title_zh="运行次数"),
    Channel("door_cycles", "1", 0, kind="counter", title_en="Door cycles", title_zh="开关门次数"),
    # 0 closed, 1 open, 2 closing, 3 opening: the door field of GB/T 24476 as uploaders in the field code it
    Channel("door", "1", 0, 3, "state", title_en="Door", title_zh="轿门状态"),
    # in the latest door cycle, between its first opening and its end
    Channel("door_reopenings", "1", 0, 50, title_en="Door opened again", title_zh="重复开门次数"),
    # the car's way from the command to the brake to its standstill: at a stop, or in a test of the brake
    Channel(
        "brake_stopping_distance",
        "mm",
        0,
        5_000,
        title_en="Stopping distance of the brake",
        title_zh="制动器制停距离",
    ),
    # of a trip whose acceleration is sampled (ISO 18738-1); the largest vibration is in the channels above
    Channel("ride_vertical_a95", "m/s²", 0, 5, title_en="Vertical vibration A95", title_zh="垂直振动 A95"),
    Channel(
        "ride_horizontal_a95", "m/s²", 0, 5, title_en="Horizontal vibration A95", title_zh="水平振动 A95"
    ),
    Channel("ride_acceleration", "m/s²", 0, 10, title_en="Largest acceleration", title_zh="最大加减速度"),
    Channel("ride_acceleration_a95", "m/s²", 0, 10, title_en="Acceleration A95", title_zh="加减速度 A95"),
    Channel("ride_jerk", "m/s³", 0, 50, title_en="Largest jerk", title_zh="最大加加速度"),
)

RIDES = (
    RidePoint(
        "car-vertical",
        VERTICAL,
        "vibration_vertical",
        "ride_vertical_a95",
        Drive("ride_acceleration", "ride_acceleration_a95", "ride_jerk"),
    ),
    RidePoint("car-horizontal", HORIZONTAL, "vibration_horizontal", "ride_horizontal_a95"),
)

# What jumps as the car starts, passes a rail joint or meets somebody in the door.
IMPULSIVE = (
    "speed",
    "motor_current",
    "vibration_vertical",
    "vibration_horizontal",
    "door_motor_current",
    "door_reopenings",
    "brake_stopping_distance",
)

WEAR = (
    # order of the electrical life of a motor contactor at AC-3 duty (IEC 60947-4-1); engineering default
    WearCounter(
        "contactor",
        "trips",
        800_000,
        1_000_000,
        "1",
        title_en="Main contactor cycles",
        title_zh="主接触器动作次数",
    ),
    WearCounter(
        "door-belt",
        "door_cycles",
        800_000,
        1_000_000,
        "1",
        title_en="Door belt cycles",
        title_zh="门机皮带次数",
    ),
    WearCounter(
        "running", "running_time", 18_000, 20_000, "h", title_en="Running time", title_zh="累计运行时间"
    ),
)

GRAVITY = 9.80665


def _brake(ratings: Ratings) -> tuple[Operations, tuple[Reading, ...]]:
    """Every trip ends with the brake closing once."""
    return Operations(float(ratings["brake_b10d"])), (Reading("trips"),)


def _rope(ratings: Ratings) -> tuple[RopeBends, tuple[Reading, ...]]:
    """The ropes share the weight of the car and what is in it."""
    said = {name: float(value) for name, value in ratings.items()}
    b0, b1, b2, b3, b4, b5 = (said[f"rope_b{k}"] for k in range(6))
    sizes = said["rope_diameter"], said["sheave_diameter"], said["rope_bent_length"]
    drive = RopeDrive(*sizes, (b0, b1, b2, b3, b4, b5), said["rope_strength"])
    newton = GRAVITY / said["rope_falls"]
    force = Reading("car_load", said["rated_load"] / 100 * newton, said["car_mass"] * newton)
    bends = Reading("trips", said["bends_per_trip"])
    return RopeBends(drive), (bends, force)


MODELLED = (
    RatedWear(
        "brake",
        (Rating("brake_b10d", needed=True), Rating("brake_used", default=0.0)),
        _brake,
        {"brake_b10d": 4e6},
        "brake_used",
        "Brake operations",
        "制动器动作次数",
    ),
    RatedWear(
        "rope-bends",
        (
            Rating("rope_diameter", "mm", needed=True),
            Rating("sheave_diameter", "mm", needed=True),
            Rating("rope_bent_length", "mm", needed=True),
            # Feyrer's constants of the rope's construction, from its maker or the book
            *(Rating(f"rope_b{k}", signed=True, needed=True) for k in range(6)),
            Rating("rope_strength", "N/mm²", default=STRENGTH),
            # over how many ropes the car hangs, times two where they are roped 2:1
            Rating("rope_falls", needed=True),
            Rating("car_mass", "kg", needed=True),
            Rating("rated_load", "kg", needed=True),
            # of the rope's most bent part
            Rating("bends_per_trip", needed=True),
            Rating("rope_used", default=0.0),
        ),
        _rope,
        # constants of the right order, made up
        {
            "rope_diameter": 10.0,
            "sheave_diameter": 400.0,
            "rope_bent_length": 2000.0,
            "rope_b0": 1.3,
            "rope_b1": 0.03,
            "rope_b2": 6.2,
            "rope_b3": -0.3,
            "rope_b4": -1.6,
            "rope_b5": 1.0,
            "rope_falls": 12.0,
            "car_mass": 1200.0,
            "rated_load": 1000.0,
            "bends_per_trip": 2.0,
        },
        "rope_used",
        "Rope bends",
        "钢丝绳弯曲次数",
    ),
)

# Fault modes after the failure statistics usual in the field: the door operator leads by far. `fails_at` is
# as the simulated machines have it: docs/packs.md.
FAULT_MODES = (
    FaultMode(
        "door-drive",
        "Door operator stiff or worn",
        "门机阻力增大或磨损",
        ("door_motor_current", "door_close_time"),
        "Clean the sill, check belt tension, rollers and the closing force (at most 150 N, EN 81-20).",
        "清洁地坎，检查皮带张力、挂轮及关门力（不大于 150 N，GB/T 7588.1）。",
        signs=(up("door_motor_current"), up("door_close_time")),
        failure_code="DOP",
        wear=("door-belt",),
        parts_en="Door belt, hanger rollers, door shoes.",
        parts_zh="门机皮带、挂板滚轮、门滑块。",
        urgency=Urgency.DAYS,
        fails_at=14.0,
    ),
    FaultMode(
        "door-obstruction",
        "Door opens again: dirty sill, light curtain or objects in its way",
        "门重复开启：地坎脏污、光幕故障或异物阻挡",
        ("door_reopenings",),
        "Clean the sill and the light curtain; look for bent edges and for what stands in the doorway.",
        "清洁地坎和光幕，检查光幕边缘是否变形、门口有无异物。",
        signs=(up("door_reopenings"),),
        failure_code="SPO",
        parts_en="Light curtain, door shoes.",
        parts_zh="光幕、门滑块。",
        urgency=Urgency.DAYS,
        fails_at=3.7,
    ),
    FaultMode(
        "brake-drag",
        "Brake does not release fully",
        "制动器未完全释放",
        ("brake_temperature", "motor_current", "motor_temperature"),
        "Measure the brake's air gap and release voltage; look for glazed lining.",
        "测量制动器间隙与释放电压，检查闸衬是否发亮。",
        signs=(up("brake_temperature", 2.0), up("motor_current"), up("motor_temperature")),
        failure_code="OHE",
        parts_en="Brake lining, brake coil.",
        parts_zh="制动闸衬、制动线圈。",
        urgency=Urgency.DAYS,
        fails_at=49.0,
    ),
    FaultMode(
        "brake-wear",
        "Brake takes longer to stop the car: lining worn or air gap too wide",
        "制停距离变长：闸衬磨损或制动间隙过大",
        ("brake_stopping_distance",),
        "Test the brake with 125 % of the rated load (EN 81-20); measure the lining and the air gap.",
        "以 125 % 额定载荷试验制动（GB/T 7588.1），测量闸衬厚度与制动间隙。",
        signs=(up("brake_stopping_distance"),),
        failure_code="STP",
        wear=("brake",),
        parts_en="Brake lining, brake springs.",
        parts_zh="制动闸衬、制动弹簧。",
        urgency=Urgency.NOW,
        fails_at=13.0,
    ),
    FaultMode(
        "guide-wear",
        "Guide shoes or rails worn",
        "导靴或导轨磨损",
        ("vibration_horizontal", "vibration_vertical", "ride_horizontal_a95", "ride_vertical_a95"),
        "Check guide shoe clearance, rail joints and lubrication; ride the car with a vibration meter.",
        "检查导靴间隙、导轨接头和润滑，并进行乘运质量测试。",
        signs=(
            up("vibration_horizontal"),
            up("vibration_vertical"),
            up("ride_horizontal_a95"),
            up("ride_vertical_a95"),
        ),
        failure_code="VIB",
        parts_en="Guide shoe inserts or rollers, rail oil.",
        parts_zh="导靴靴衬或滚轮、导轨油。",
        fails_at=13.0,
    ),
    FaultMode(
        "levelling-drift",
        "Levelling drifts: ropes stretched or brake slips",
        "平层漂移：钢丝绳伸长或制动打滑",
        ("levelling_error",),
        "Measure levelling at every floor, rope tension and diameter (scrap below 90 %, GB/T 31821).",
        "测量各层平层误差、钢丝绳张力及直径（低于公称 90 % 报废，GB/T 31821）。",
        failure_code="PDE",
        wear=("rope-bends", "brake"),
        parts_en="Suspension ropes, brake lining.",
        parts_zh="曳引钢丝绳、制动闸衬。",
        urgency=Urgency.DAYS,
        fails_at=12.0,
    ),
    FaultMode(
        "motor-cooling",
        "Motor runs hot",
        "曳引机过热",
        ("motor_temperature",),
        "Check the motor fan, the filters and the machine room's ventilation (5 to 40 °C, EN 81-20).",
        "检查曳引机风扇、滤网及机房通风（5～40 °C，GB/T 7588.1）。",
        signs=(up("motor_temperature"),),
        failure_code="OHE",
        parts_en="Motor fan, filter mats.",
        parts_zh="曳引机风扇、过滤棉。",
        fails_at=3.0,
    ),
)

# Power and ratio are engineering defaults: order of what ISO 25745-2 calls idle less standby, and doors that
# open again for one trip in five.
ADVICE = (
    IdleEnergy(
        "standby",
        "Let light, fan and drive sleep while nobody rides",
        "无人乘梯时让轿厢照明、风扇和变频器休眠",
        idle=(0,),
        saved_kw=0.2,
    ),
    ExcessCycles(
        "door-reopening",
        "Find out why doors open again: light curtain, dwell time, objects on the sill",
        "查明重复开门原因：光幕、开门保持时间、地坎异物",
        cycles="door_cycles",
        work="trips",
        allowed=1.2,
    ),
)

DAY_S = 86_400.0

# Values are those of the standards, not read there but in what cites them. Deadbands and delays are
# engineering defaults: several bad stops or trips in a row pass a limit, a good one now and then keeps none.
LIMITS = (
    *either_way(
        StandardLimit(
            "levelling_error",
            10.0,
            "EN 81-20 / GB/T 7588.1, 5.12.1.1.4",
            "Stops outside the stopping accuracy",
            "停靠误差超出平层准确度",
            "Adjust levelling; measure rope tension, the brake's stopping distance and the encoder.",
            "调整平层，检查钢丝绳张力、制动距离及编码器。",
            deadband=1.0,
            on_delay_s=600.0,
            off_delay_s=DAY_S,
        )
    ),
    *either_way(
        StandardLimit(
            "levelling_error",
            20.0,
            "EN 81-20 / GB/T 7588.1, 5.12.1.1.4",
            "Stops outside the levelling accuracy: people may trip",
            "平层误差超出平层保持精度：有绊倒风险",
            "Take the lift out of service until it levels; check whether the brake or the ropes slip.",
            "停梯直至平层恢复，检查制动器或钢丝绳是否打滑。",
            deadband=1.0,
            on_delay_s=600.0,
            off_delay_s=DAY_S,
        )
    ),
    # The means against unintended movement stop the car within this way, and the brake is their usual part.
    StandardLimit(
        "brake_stopping_distance",
        1_200.0,
        "EN 81-20 / GB/T 7588.1, 5.6.7.5",
        "Brake does not stop the car in time",
        "制停距离超过允许值",
        "Take the lift out of service; test the brake and measure its lining and air gap.",
        "立即停梯，试验制动器并测量闸衬厚度与制动间隙。",
        deadband=60.0,
        off_delay_s=DAY_S,
    ),
    # Largest peak to peak of a row. At one row a minute it takes three with a moving car one after the other:
    # a standing car shakes less, and begins the delay anew.
    StandardLimit(
        "vibration_vertical",
        0.3,
        "GB/T 10058",
        "Ride rougher than is accepted: vertical vibration",
        "垂直振动超过验收值",
        "Ride the car with a vibration meter; check rail joints, rollers, ropes and the machine's mounts.",
        "进行乘运质量测试，检查导轨接头、导靴、钢丝绳及主机减振。",
        deadband=0.015,
        on_delay_s=120.0,
        off_delay_s=DAY_S,
    ),
    StandardLimit(
        "vibration_horizontal",
        0.2,
        "GB/T 10058",
        "Ride rougher than is accepted: horizontal vibration",
        "水平振动超过验收值",
        "Ride the car with a vibration meter; check guide shoe clearance and the rails' alignment.",
        "进行乘运质量测试，检查导靴间隙及导轨垂直度。",
        deadband=0.01,
        on_delay_s=120.0,
        off_delay_s=DAY_S,
    ),
    StandardLimit(
        "ride_vertical_a95",
        0.2,
        "GB/T 10058",
        "Ride rougher than is accepted: vertical vibration, A95",
        "垂直振动 A95 超过验收值",
        "Check rail joints, rollers, ropes and the machine's mounts.",
        "检查导轨接头、导靴、钢丝绳及主机减振。",
        deadband=0.01,
        on_delay_s=120.0,
        off_delay_s=DAY_S,
    ),
    StandardLimit(
        "ride_horizontal_a95",
        0.15,
        "GB/T 10058",
        "Ride rougher than is accepted: horizontal vibration, A95",
        "水平振动 A95 超过验收值",
        "Check guide shoe clearance and the rails' alignment.",
        "检查导靴间隙及导轨垂直度。",
        deadband=0.008,
        on_delay_s=120.0,
        off_delay_s=DAY_S,
    ),
    StandardLimit(
        "ride_acceleration",
        1.5,
        "GB/T 10058",
        "Car starts or stops harder than is accepted",
        "加减速度超过允许值",
        "Check the drive's ramps, its load compensation and when the brake closes.",
        "检查变频器加减速曲线、称重补偿及制动器闭合时机。",
        deadband=0.075,
        on_delay_s=120.0,
        off_delay_s=DAY_S,
    ),
    StandardLimit(
        "machine_room_temperature",
        40.0,
        "EN 81-20 / GB/T 7588.1",
        "Machine room too hot",
        "机房温度过高",
        "Check the machine room's ventilation or air conditioning.",
        "检查机房通风或空调。",
        deadband=1.0,
        on_delay_s=600.0,
        off_delay_s=600.0,
    ),
    StandardLimit(
        "machine_room_temperature",
        5.0,
        "EN 81-20 / GB/T 7588.1",
        "Machine room too cold",
        "机房温度过低",
        "Check the machine room's heating, its windows and its door.",
        "检查机房采暖及门窗。",
        above=False,
        deadband=1.0,
        on_delay_s=600.0,
        off_delay_s=600.0,
    ),
)

CLOSED, OPEN, CLOSING, OPENING = range(4)

MOVES = (("opening", "开门", OPENING, CLOSED), ("closing", "关门", CLOSING, OPEN))
"""A movement of the door, its code and the one before it: a door that opens again begins midway."""

THIRDS = (
    (0.0, 1.0, "in the 1st second", "第 1 秒"),
    (1.0, 2.0, "in the 2nd second", "第 2 秒"),
    (2.0, 30.0, "after the 2nd second", "第 2 秒之后"),
)
"""Of a movement of three seconds or so, as most doors have it; engineering default."""

DOOR_MOTOR = tuple(
    Feature(
        f"door_{move_en}_current_{k}",
        Take.MEAN,
        "door_motor_current",
        f"Door motor current {third_en} of {move_en}",
        f"{move_zh}{third_zh}门机电流",
        (code,),
        Window(after, from_s, until_s),
    )
    for move_en, move_zh, code, after in MOVES
    for k, (from_s, until_s, third_en, third_zh) in enumerate(THIRDS, 1)
)

# At rows a second or two apart; ones further apart have no trips. Such rows are too few in a trip for its A95
# (ISO 18738-1), so its peaks stand for it, and too far apart for acceleration and jerk. Times and counts are
# engineering defaults: a day of a busy lift teaches.
SEGMENTS = (
    Segment(
        "trip",
        "motion",
        (1, 2),
        (
            Feature("trip_load", Take.MEAN, "car_load", "Car load of a trip", "单次运行轿厢载荷"),
            Feature("trip_duration", Take.SECONDS, "motion", "Duration of a trip", "单次运行时间"),
            Feature("trip_top_speed", Take.PEAK, "speed", "Top speed of a trip", "单次运行最高速度"),
            Feature(
                "trip_current", Take.MEAN, "motor_current", "Motor current of a trip", "单次运行曳引机电流"
            ),
            Feature(
                "trip_charge",
                Take.TOTAL,
                "motor_current",
                "Motor current over a trip",
                "单次运行曳引机累计电流",
            ),
            Feature(
                "trip_vertical_peak",
                Take.PEAK,
                "vibration_vertical",
                "Largest vertical vibration of a trip",
                "单次运行最大垂直振动",
            ),
            Feature(
                "trip_horizontal_peak",
                Take.PEAK,
                "vibration_horizontal",
                "Largest horizontal vibration of a trip",
                "单次运行最大水平振动",
            ),
            Feature("stop_error", Take.LAST, "levelling_error", "Levelling error of a stop", "停靠平层误差"),
            Feature(
                "stop_distance",
                Take.LAST,
                "brake_stopping_distance",
                "Stopping distance of a stop",
                "单次停靠制停距离",
            ),
        ),
        baseline=500,
    ),
    Segment(
        "door-cycle",
        "door",
        (1, 2, 3),
        (
            Feature(
                "door_opening_time",
                Take.LONGEST,
                "door_close_time",
                "Door opening took",
                "开门用时",
                codes=(3,),
            ),
            Feature(
                "door_closing_time",
                Take.LONGEST,
                "door_close_time",
                "Door closing took",
                "关门用时",
                codes=(2,),
            ),
            Feature(
                "door_openings",
                Take.TIMES,
                "door_reopenings",
                "Openings in a door cycle",
                "单次循环开门次数",
                codes=(3,),
            ),
            Feature(
                "door_effort",
                Take.MEAN,
                "door_motor_current",
                "Door motor current while it moves",
                "开关门过程门机电流",
                codes=(2, 3),
            ),
        ),
        baseline=1000,
        phases=True,
    ),
    # too few rows further apart lie in a movement
    Segment(
        "door-motor",
        "door",
        (OPEN, CLOSING, OPENING),
        DOOR_MOTOR,
        baseline=1000,
        phases=True,
        apart_s=1.5,
    ),
)

MEASURED = tuple(channel.name for channel in CHANNELS if channel.kind == "measurement")

PACK = VerticalPack(
    EquipmentType("elevator", CHANNELS, "Traction elevator", "曳引式电梯"),
    # tuned on the simulated fleet at one row a minute; hardly moves at night and on a Sunday
    Detection(
        on_score=5.0,
        off_delay_s=36 * 3600.0,
        baseline_rows=2000,
        health_tau_s=24 * 3600.0,
        idle=(0,),
        given=(
            "car_load",
        ),  # temperatures follow the machine room too slowly to be held against it row by row
        ambient=("machine_room_temperature",),
        beside=(ChangePoints(MEASURED, score=5.0),),
    ),
    WEAR,
    FAULT_MODES,
    LIMITS,
    MODELLED,
    advice=ADVICE,
    segments=SEGMENTS,
    impulsive=IMPULSIVE,
    rides=RIDES,
)
