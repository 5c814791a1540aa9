"""Geared wind turbines with pitch control.

A row is a mean over ten minutes, as SCADA keeps them; what is measured follows the logical nodes of
IEC 61400-25-2. Ranges of channels are what common sensors can report and, like detection parameters and
limits without a source, engineering defaults.
"""

from functools import partial

from fleet.asset import Channel, EquipmentType
from fleet.measuring_point import MeasuringPoint
from fleet.power_curve_advice import PowerCurveLoss
from fleet.sign import Urgency, down, up
from fleet.standard_limit import StandardLimit, zone_limits
from fleet.vertical import Detection, FaultMode, VerticalPack, WearCounter

TEN_MINUTES = partial(Channel, rate_hz=1 / 600)

CHANNELS = (
    # 0 stands, 1 waits for wind, 2 produces, 3 produces less than it could because the grid asks for it
    TEN_MINUTES("turbine_state", "1", 0, 3, "state", title_en="Turbine state", title_zh="机组状态"),
    TEN_MINUTES("wind_speed", "m/s", 0, 60, "setpoint", title_en="Wind speed", title_zh="风速"),
    TEN_MINUTES(
        "ambient_temperature", "°C", -50, 60, "setpoint", title_en="Ambient temperature", title_zh="环境温度"
    ),
    TEN_MINUTES("air_pressure", "hPa", 600, 1100, "setpoint", title_en="Air pressure", title_zh="大气压力"),
    # what the controller makes of the wind tells no fault by itself
    TEN_MINUTES("active_power", "kW", -500, 20_000, "setpoint", title_en="Active power", title_zh="有功功率"),
    # measured minus the power curve at the wind of standard density (IEC 61400-12-1), in % of rated power
    TEN_MINUTES(
        "power_deviation", "%", -120, 120, title_en="Power against the power curve", title_zh="功率曲线偏差"
    ),
    TEN_MINUTES("rotor_speed", "r/min", 0, 40, "setpoint", title_en="Rotor speed", title_zh="风轮转速"),
    TEN_MINUTES("pitch_angle", "°", -10, 100, "setpoint", title_en="Pitch angle", title_zh="桨距角"),
    # largest difference between the angles of two blades
    TEN_MINUTES("pitch_deviation", "°", 0, 90, title_en="Pitch deviation", title_zh="桨距角偏差"),
    TEN_MINUTES("yaw_error", "°", -180, 180, title_en="Yaw error", title_zh="偏航误差"),
    TEN_MINUTES(
        "nacelle_temperature", "°C", -50, 90, "setpoint", title_en="Nacelle temperature", title_zh="机舱温度"
    ),
    TEN_MINUTES(
        "gearbox_oil_temperature", "°C", -50, 130, title_en="Gearbox oil temperature", title_zh="齿轮箱油温"
    ),
    TEN_MINUTES(
        "gearbox_bearing_temperature",
        "°C",
        -50,
        150,
        title_en="Gearbox bearing temperature",
        title_zh="齿轮箱轴承温度",
    ),
    TEN_MINUTES(
        "main_bearing_temperature", "°C", -50, 130, title_en="Main bearing temperature", title_zh="主轴承温度"
    ),
    TEN_MINUTES(
        "generator_winding_temperature",
        "°C",
        -50,
        220,
        title_en="Generator winding temperature",
        title_zh="发电机绕组温度",
    ),
    TEN_MINUTES(
        "generator_bearing_temperature",
        "°C",
        -50,
        150,
        title_en="Generator bearing temperature",
        title_zh="发电机轴承温度",
    ),
    TEN_MINUTES(
        "converter_temperature", "°C", -50, 130, title_en="Converter temperature", title_zh="变流器温度"
    ),
    # measured minus what power, speed and surroundings explain: a normal behaviour model, as monitors have
    TEN_MINUTES(
        "gearbox_oil_residual", "K", -60, 100, title_en="Gearbox oil above model", title_zh="齿轮箱油温残差"
    ),
    TEN_MINUTES(
        "generator_winding_residual",
        "K",
        -60,
        150,
        title_en="Generator winding above model",
        title_zh="发电机绕组温度残差",
    ),
    TEN_MINUTES(
        "converter_residual", "K", -60, 100, title_en="Converter above model", title_zh="变流器温度残差"
    ),
    TEN_MINUTES(
        "gearbox_filter_pressure",
        "bar",
        0,
        16,
        title_en="Gearbox oil filter, differential pressure",
        title_zh="齿轮箱油滤压差",
    ),
    # RMS as in ISO 20816-21: acceleration from 0.1 to 10 Hz, velocity from 10 to 1000 Hz
    TEN_MINUTES("tower_vibration", "m/s²", 0, 10, title_en="Tower vibration", title_zh="塔筒振动"),
    TEN_MINUTES(
        "main_bearing_vibration", "mm/s", 0, 50, title_en="Main bearing vibration", title_zh="主轴承振动"
    ),
    TEN_MINUTES("gearbox_vibration", "mm/s", 0, 50, title_en="Gearbox vibration", title_zh="齿轮箱振动"),
    TEN_MINUTES("generator_vibration", "mm/s", 0, 100, title_en="Generator vibration", title_zh="发电机振动"),
    TEN_MINUTES("operating_time", "h", 0, kind="counter", title_en="Operating time", title_zh="累计发电时间"),
    TEN_MINUTES("energy", "MWh", 0, kind="counter", title_en="Energy produced", title_zh="累计发电量"),
    TEN_MINUTES("starts", "1", 0, kind="counter", title_en="Starts", title_zh="并网次数"),
    # what waveforms show of the bearings, where they are sent: docs/waveforms.md
    TEN_MINUTES(
        "main_bearing_envelope", "m/s²", 0, 500, title_en="Main bearing envelope", title_zh="主轴承包络"
    ),
    TEN_MINUTES(
        "main_bearing_bpfo", "dB", -20, 120, title_en="Main bearing, outer ring", title_zh="主轴承外圈特征"
    ),
    TEN_MINUTES(
        "main_bearing_bpfi", "dB", -20, 120, title_en="Main bearing, inner ring", title_zh="主轴承内圈特征"
    ),
    TEN_MINUTES(
        "main_bearing_bsf", "dB", -20, 120, title_en="Main bearing, rollers", title_zh="主轴承滚动体特征"
    ),
    TEN_MINUTES(
        "generator_envelope", "m/s²", 0, 500, title_en="Generator bearing envelope", title_zh="发电机轴承包络"
    ),
    TEN_MINUTES(
        "generator_bpfo",
        "dB",
        -20,
        120,
        title_en="Generator bearing, outer ring",
        title_zh="发电机轴承外圈特征",
    ),
    TEN_MINUTES(
        "generator_bpfi",
        "dB",
        -20,
        120,
        title_en="Generator bearing, inner ring",
        title_zh="发电机轴承内圈特征",
    ),
    TEN_MINUTES(
        "generator_bsf", "dB", -20, 120, title_en="Generator bearing, balls", title_zh="发电机轴承滚动体特征"
    ),
)

# Lines of the envelope as ISO 13373-2 has them (from memory). The bands are where such housings ring;
# engineering defaults. A main bearing turns so slowly that its blocks must last for seconds.
POINTS = (
    MeasuringPoint(
        "main-bearing",
        "rotor_speed",
        "main_bearing",
        (500.0, 2000.0),
        velocity="main_bearing_vibration",
        envelope="main_bearing_envelope",
        lines=("main_bearing_bpfo", "main_bearing_bpfi", "main_bearing_bsf"),
    ),
    MeasuringPoint(
        "generator",
        "rotor_speed",
        "generator_bearing",
        (2000.0, 5000.0),
        velocity="generator_vibration",
        envelope="generator_envelope",
        lines=("generator_bpfo", "generator_bpfi", "generator_bsf"),
        gear="gear_ratio",
    ),
)

WEAR = (
    # design lifetime of 20 years at least (IEC 61400-1, 6.2)
    WearCounter(
        "design-life",
        "operating_time",
        140_000,
        175_200,
        "h",
        title_en="Design life used",
        title_zh="设计寿命消耗",
    ),
    # oil ages about twice as fast for every 10 K (Arrhenius); temperature and hours are engineering defaults
    WearCounter(
        "gearbox-heat",
        "gearbox_oil_temperature",
        400,
        800,
        "h",
        above=75.0,
        title_en="Time with hot gearbox oil",
        title_zh="齿轮箱油高温时间",
    ),
    # mechanical endurance of a circuit-breaker differs by size (IEC 60947-2, table 8); engineering default
    WearCounter(
        "grid-breaker",
        "starts",
        16_000,
        20_000,
        "1",
        title_en="Grid breaker operations",
        title_zh="并网断路器动作次数",
    ),
)

# The more specific mode comes first. `fails_at` is as the simulated machines have it: docs/packs.md.
FAULT_MODES = (
    FaultMode(
        "gearbox-bearing",
        "Gearbox bearing damage",
        "齿轮箱轴承损伤",
        ("gearbox_vibration", "gearbox_bearing_temperature"),
        "Take an envelope spectrum of the high-speed stage; count particles in the oil, use an endoscope.",
        "采集高速级包络谱，检测油液颗粒，并用内窥镜检查轴承。",
        signs=(up("gearbox_vibration"), up("gearbox_bearing_temperature")),
        failure_code="VIB",
        parts_en="High-speed shaft bearings, gearbox oil, oil filter.",
        parts_zh="高速轴轴承、齿轮箱油、油滤芯。",
        urgency=Urgency.DAYS,
        fails_at=5.4,
    ),
    FaultMode(
        "gearbox-cooling",
        "Gearbox oil runs hot",
        "齿轮箱油温过高",
        ("gearbox_oil_residual", "gearbox_oil_temperature"),
        "Clean the oil cooler; check its fan, the thermostatic valve and the oil level.",
        "清洁油冷却器，检查风扇、温控阀及油位。",
        signs=(up("gearbox_oil_residual"), up("gearbox_oil_temperature")),
        failure_code="OHE",
        parts_en="Cooler fan, thermostatic valve.",
        parts_zh="冷却风扇、温控阀。",
        urgency=Urgency.DAYS,
        fails_at=6.1,
    ),
    FaultMode(
        "gearbox-filter",
        "Gearbox oil filter clogged",
        "齿轮箱油滤堵塞",
        ("gearbox_filter_pressure",),
        "Change the filter and look for metal in it; take an oil sample (ISO 4406).",
        "更换滤芯并检查金属颗粒，取油样检测（ISO 4406）。",
        signs=(up("gearbox_filter_pressure"),),
        failure_code="PLU",
        parts_en="Filter elements, oil sample bottles.",
        parts_zh="滤芯、取样瓶。",
        fails_at=5.5,
    ),
    FaultMode(
        "main-bearing",
        "Main bearing worn or badly greased",
        "主轴承磨损或润滑不良",
        ("main_bearing_temperature", "main_bearing_vibration", *POINTS[0].channels[1:]),
        "Check the greasing system and take a grease sample; listen to the bearing at low speed.",
        "检查润滑系统并取脂样，低速下检查轴承异响。",
        signs=(
            up("main_bearing_temperature"),
            up("main_bearing_vibration"),
            *map(up, POINTS[0].channels[1:]),
        ),
        failure_code="VIB",
        parts_en="Bearing grease, grease lines and pump.",
        parts_zh="轴承润滑脂、润滑管路与润滑泵。",
        urgency=Urgency.DAYS,
        fails_at=5.5,
    ),
    FaultMode(
        "generator-bearing",
        "Generator bearing damage",
        "发电机轴承损伤",
        ("generator_bearing_temperature", "generator_vibration", *POINTS[1].channels[1:]),
        "Take an envelope spectrum; check greasing, shaft earthing and the alignment of the coupling.",
        "采集包络谱，检查润滑、转轴接地及联轴器对中。",
        signs=(
            up("generator_bearing_temperature"),
            up("generator_vibration"),
            *map(up, POINTS[1].channels[1:]),
        ),
        failure_code="VIB",
        parts_en="Generator bearings, grease, earthing brushes.",
        parts_zh="发电机轴承、润滑脂、接地碳刷。",
        urgency=Urgency.DAYS,
        fails_at=6.1,
    ),
    FaultMode(
        "generator-cooling",
        "Generator winding runs hot",
        "发电机绕组过热",
        ("generator_winding_residual", "generator_winding_temperature"),
        "Check the generator's fan, filters and cooling water; compare the phases' currents.",
        "检查发电机风扇、滤网及冷却水，比较三相电流。",
        signs=(up("generator_winding_residual"), up("generator_winding_temperature")),
        failure_code="OHE",
        parts_en="Generator fan, filter mats.",
        parts_zh="发电机风扇、过滤棉。",
        urgency=Urgency.DAYS,
        fails_at=7.0,
    ),
    FaultMode(
        "converter-cooling",
        "Converter runs hot",
        "变流器过热",
        ("converter_residual", "converter_temperature"),
        "Check coolant level, pump and pressure; clean the heat exchanger.",
        "检查冷却液液位、水泵及压力，清洁换热器。",
        signs=(up("converter_residual"), up("converter_temperature")),
        failure_code="OHE",
        parts_en="Coolant, coolant pump, seals.",
        parts_zh="冷却液、冷却水泵、密封件。",
        urgency=Urgency.DAYS,
        fails_at=5.7,
    ),
    FaultMode(
        "rotor-imbalance",
        "Rotor out of balance: ice, water or damage in a blade",
        "风轮不平衡：覆冰、积水或叶片损伤",
        ("tower_vibration",),
        "Look at the blades for ice and damage; compare the zero marks of the pitch angles.",
        "检查叶片覆冰与损伤，核对桨距角零位。",
        signs=(up("tower_vibration"),),
        failure_code="VIB",
        parts_en="Blade repair kit, de-icing on site.",
        parts_zh="叶片修补材料、现场除冰工具。",
        urgency=Urgency.NOW,
        fails_at=6.4,
    ),
    FaultMode(
        "pitch-drive",
        "A blade does not follow its pitch angle",
        "桨距角跟随不良",
        ("pitch_deviation",),
        "Compare the blades' encoders; check pitch motors, gears, batteries and the limit switches.",
        "比较各叶片编码器，检查变桨电机、减速器、电池及限位开关。",
        signs=(up("pitch_deviation"),),
        failure_code="ERO",
        parts_en="Blade encoder, pitch motor, pitch batteries.",
        parts_zh="叶片编码器、变桨电机、变桨电池。",
        urgency=Urgency.NOW,
        fails_at=7.3,
    ),
    FaultMode(
        "yaw-misalignment",
        "Rotor does not face the wind",
        "偏航对风不准",
        ("yaw_error", "power_deviation"),
        "Check the wind vane's zero and mounting; check yaw brakes and drives for slip.",
        "检查风向标零位与安装，检查偏航制动器与驱动是否打滑。",
        signs=(down("power_deviation"),),
        failure_code="PDE",
        parts_en="Wind vane, yaw brake pads.",
        parts_zh="风向标、偏航制动片。",
        fails_at=6.2,
    ),
    FaultMode(
        "blade-soiling",
        "Less power than the power curve says",
        "功率低于功率曲线",
        ("power_deviation",),
        "Look for soiled or eroded leading edges; check anemometer, pitch zero and limits of the controller.",
        "检查叶片前缘污染与腐蚀，核对风速仪、桨距角零位及控制器限功率设置。",
        signs=(down("power_deviation"),),
        failure_code="LOO",
        parts_en="Leading edge tape, cleaning gear, anemometer.",
        parts_zh="前缘保护膜、清洗工具、风速仪。",
        fails_at=3.7,
    ),
)

ADVICE = (
    PowerCurveLoss(
        "power-curve",
        "Find out why less is made of the same wind: blades, pitch and yaw, limits of the controller",
        "查明同等风速下发电量降低的原因：叶片、变桨与偏航、控制器限功率",
        power="active_power",
        wind="wind_speed",
    ),
)

DAY_S = 86_400.0


# Zones of ISO 20816-21 as severity alone: the standard says itself that they are not made to find faults
# early. From memory, not read in the standard, as is the class of the winding; other temperatures are the
# makers' affair. Deadbands and delays are engineering defaults: one that waits for wind has not recovered.
ZONES = partial(zone_limits, on_delay_s=3600.0, off_delay_s=3 * DAY_S)

LIMITS = (
    *ZONES("tower_vibration", (0.3, 0.5), "ISO 20816-21, annex A, nacelle and tower"),
    *ZONES("main_bearing_vibration", (2.0, 3.2), "ISO 20816-21, annex A, rotor bearing"),
    *ZONES("gearbox_vibration", (3.5, 5.6), "ISO 20816-21, annex A, gearbox"),
    *ZONES("generator_vibration", (6.0, 10.0), "ISO 20816-21, annex A, generator"),
    StandardLimit(
        "generator_winding_temperature",
        155.0,
        "IEC 60034-1, thermal class 155 (F)",
        "Generator winding hotter than its insulation endures",
        "发电机绕组温度超过绝缘等级",
        "Reduce the power; check the generator's fan, filters and cooling water.",
        "降低功率，检查发电机风扇、滤网及冷却水。",
        deadband=1.55,
        on_delay_s=600.0,
        off_delay_s=600.0,
    ),
)

PACK = VerticalPack(
    EquipmentType("wind-turbine", CHANNELS, "Wind turbine", "风力发电机组"),
    # Tuned on the simulated fleet at one row in ten minutes. What a limited turbine produces says nothing
    # about it; bands of wind for the parts of the power curve. A calm can last for days.
    Detection(
        on_score=3.0,
        off_delay_s=3 * DAY_S,
        baseline_rows=600,
        health_tau_s=2 * DAY_S,
        d_fail=9.0,
        idle=(0, 1, 3),
        bands=(("wind_speed", (7.0, 10.0)),),
        ambient=("ambient_temperature",),
    ),
    WEAR,
    FAULT_MODES,
    LIMITS,
    advice=ADVICE,
    power="active_power",
    points=POINTS,
)
