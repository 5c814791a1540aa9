"""Oil-filled power transformers.

Ranges of channels are what common monitors can report and, like detection parameters and limits without a
source, engineering defaults. The typical 90 % gas values named below are those of IEC 60599.
"""

from fleet.asset import Channel, EquipmentType
from fleet.beside import ChangePoints
from fleet.dissolved_gas import GasFault, GasMonitor
from fleet.modelled_wear import RatedWear, Reading
from fleet.rating import Rating, Ratings
from fleet.sign import Urgency, down, up
from fleet.standard_limit import StandardLimit
from fleet.transformer_advice import CoolingLoss, LoadHeadroom
from fleet.vertical import Detection, FaultMode, VerticalPack, WearCounter
from forecasting.wear.transformer import (
    DISTRIBUTION,
    ONAF,
    ONAN,
    InsulationAgeing,
    Transformer,
)

PER_MINUTE = 1 / 60

CHANNELS = (
    Channel("load_current", "A", 0, 10_000, "setpoint", PER_MINUTE, "Load current", "负载电流"),
    Channel("ambient_temperature", "°C", -50, 70, "setpoint", PER_MINUTE, "Ambient temperature", "环境温度"),
    # IEC 60076-2: top-oil rise 60 K; IEC 60076-7: 105 °C top oil under normal cyclic loading
    Channel(
        "top_oil_temperature", "°C", -50, 180, "measurement", PER_MINUTE, "Top-oil temperature", "顶层油温"
    ),
    # IEC 60076-7: ages at its reference rate at 98 °C; 120 °C under normal cyclic loading
    Channel(
        "hot_spot_temperature",
        "°C",
        -50,
        250,
        "measurement",
        PER_MINUTE,
        "Hot-spot temperature",
        "绕组热点温度",
    ),
    # measured minus modelled (IEC 60076-7) top oil, as transformer monitors report it: cooling effectiveness
    Channel(
        "top_oil_residual", "K", -60, 100, "measurement", PER_MINUTE, "Top oil above model", "顶层油温残差"
    ),
    Channel("oil_level", "%", 0, 100, "measurement", PER_MINUTE, "Oil level", "油位"),
    Channel("moisture", "ppm", 0, 200, "measurement", PER_MINUTE, "Moisture in oil", "油中水分"),
    # IEC 60599 typical values: H2 150, C2H4 280, C2H2 20 ppm
    Channel("hydrogen", "ppm", 0, 5_000, "measurement", PER_MINUTE, "Hydrogen", "氢气"),
    Channel("ethylene", "ppm", 0, 5_000, "measurement", PER_MINUTE, "Ethylene", "乙烯"),
    Channel("acetylene", "ppm", 0, 5_000, "measurement", PER_MINUTE, "Acetylene", "乙炔"),
    Channel(
        "partial_discharge", "pC", 0, 100_000, "measurement", PER_MINUTE, "Partial discharge", "局部放电"
    ),
    Channel(
        "tap_operations",
        "1",
        0,
        float("inf"),
        "counter",
        PER_MINUTE,
        "Tap changer operations",
        "分接开关动作次数",
    ),
    # integral of the relative ageing rate V (IEC 60076-7, non-thermally upgraded paper)
    Channel(
        "ageing_hours", "h", 0, float("inf"), "counter", PER_MINUTE, "Insulation ageing", "绝缘等效老化时间"
    ),
    # IEC 60599 typical values: CH4 130, C2H6 90 ppm
    Channel("methane", "ppm", 0, 5_000, "measurement", PER_MINUTE, "Methane", "甲烷"),
    Channel("ethane", "ppm", 0, 5_000, "measurement", PER_MINUTE, "Ethane", "乙烷"),
)

WEAR = (
    # end of life 180 000 h at the reference hot spot (IEEE C57.91)
    WearCounter(
        "insulation",
        "ageing_hours",
        144_000,
        180_000,
        "h",
        title_en="Insulation life used",
        title_zh="绝缘寿命消耗",
    ),
    # maintenance interval of vacuum tap changers differs by maker; engineering default
    WearCounter(
        "tap-changer", "tap_operations", 80_000, 100_000, "1", title_en="Tap changer", title_zh="分接开关"
    ),
    # above 120 °C the hot spot leaves normal cyclic loading (IEC 60076-7); the hours are our default
    WearCounter(
        "overload",
        "hot_spot_temperature",
        200,
        400,
        "h",
        above=120.0,
        title_en="Time above normal cyclic loading",
        title_zh="超正常周期负载时间",
    ),
)


COOLING = {"ONAN": ONAN, "ONAF": ONAF, "distribution": DISTRIBUTION}

HOT_SPOT_GRADIENT = {"ONAN": 1.3 * 17, "ONAF": 1.3 * 17, "distribution": 1.2 * 23}
"""Rated hot spot over top oil in K where no test says it: hot-spot factor times average gradient, as the open
transformer-thermal-model of Alliander has them for these ways of cooling."""


def _insulation(ratings: Ratings) -> tuple[InsulationAgeing, tuple[Reading, ...]]:
    cooling = str(ratings["cooling"])
    gradient = ratings.get("hot_spot_gradient", HOT_SPOT_GRADIENT[cooling])
    rises = float(ratings["top_oil_rise"]), float(gradient)
    unit = Transformer(COOLING[cooling], *rises, float(ratings["loss_ratio"]))
    model = InsulationAgeing(unit, ratings["paper"] == "upgraded")
    load = Reading("load_current", 1 / float(ratings["rated_current"]))
    return model, (load, Reading("ambient_temperature"))


MODELLED = (
    # beside the monitor's own count, if it keeps one
    RatedWear(
        "insulation-by-load",
        (
            Rating("rated_current", "A", needed=True),
            Rating("cooling", choices=tuple(COOLING), needed=True),
            # load losses over no-load losses, at rated load
            Rating("loss_ratio", needed=True),
            # the most that IEC 60076-2 allows
            Rating("top_oil_rise", "K", default=60.0),
            Rating("hot_spot_gradient", "K"),
            # plain paper ages faster
            Rating("paper", choices=("plain", "upgraded"), default="plain"),
            Rating("insulation_used", "h", default=0.0),
        ),
        _insulation,
        # the ONAF example of IEC 60076-7
        {
            "rated_current": 800.0,
            "cooling": "ONAF",
            "loss_ratio": 6.0,
            "top_oil_rise": 52.0,
            "hot_spot_gradient": 26.0,
        },
        "insulation_used",
        "Insulation life used at the hot spot, by load",
        "热点绝缘寿命消耗（按负载）",
    ),
)

# The more specific mode comes first. `fails_at` is as the simulated machines have it: docs/packs.md.
# Gas patterns follow IEC 60599.
FAULT_MODES = (
    FaultMode(
        "cooling",
        "Cooling less effective",
        "冷却效率下降",
        ("top_oil_residual", "top_oil_temperature", "hot_spot_temperature"),
        "Check radiator valves and fans, look for fouled fins; compare both sides with a thermal camera.",
        "检查散热器阀门与风机，查看散热片积污，用红外热像仪比较两侧。",
        signs=(up("top_oil_residual", 2.0), up("top_oil_temperature"), up("hot_spot_temperature")),
        failure_code="OHE",
        parts_en="Fan or pump, radiator valve gaskets.",
        parts_zh="风机或油泵、散热器阀门密封垫。",
        urgency=Urgency.DAYS,
        fails_at=11.0,
    ),
    FaultMode(
        "arcing",
        "Discharge of high energy in oil",
        "油中高能放电",
        ("acetylene", "hydrogen"),
        "Take an oil sample for a full gas analysis now; consider to take the unit off load.",
        "立即取油样做全组分色谱分析，并考虑退出运行。",
        signs=(up("acetylene", 2.0), up("hydrogen")),
        gases=(GasFault.D1, GasFault.D2, GasFault.DT),
        failure_code="SHC",
        wear=("tap-changer",),
        parts_en="Oil sampling kit; tap changer contacts if its oil is the source.",
        parts_zh="取油样器具；若气体来自分接开关，备分接开关触头。",
        urgency=Urgency.NOW,
        fails_at=16.0,
    ),
    FaultMode(
        "partial-discharge",
        "Partial discharge",
        "局部放电",
        ("partial_discharge", "hydrogen"),
        "Locate the discharge acoustically; check bushings and moisture.",
        "用超声法定位放电，检查套管与含水量。",
        signs=(up("partial_discharge", 2.0), up("hydrogen")),
        gases=(GasFault.PD,),
        failure_code="PDE",
        parts_en="Acoustic sensors, oil sampling kit.",
        parts_zh="超声传感器、取油样器具。",
        urgency=Urgency.DAYS,
        fails_at=14.0,
    ),
    FaultMode(
        "thermal-fault",
        "Overheated joint or core",
        "接头或铁芯过热",
        ("ethylene", "methane", "ethane", "hydrogen"),
        "Take an oil sample (Duval triangle); measure winding resistance on all taps.",
        "取油样（Duval 三角法），测量各分接绕组直流电阻。",
        signs=(up("ethylene", 2.0), up("methane"), up("ethane"), up("hydrogen")),
        gases=(GasFault.T1, GasFault.T2, GasFault.T3, GasFault.DT),
        failure_code="OHE",
        parts_en="Oil sampling kit, winding resistance bridge.",
        parts_zh="取油样器具、直流电阻测试仪。",
        urgency=Urgency.DAYS,
        fails_at=20.0,
    ),
    FaultMode(
        "oil-leak",
        "Oil is being lost",
        "漏油",
        ("oil_level",),
        "Look for leaks at gaskets, radiators and the drain valve; check the conservator.",
        "检查密封垫、散热器及放油阀渗漏，检查储油柜。",
        signs=(down("oil_level"),),
        failure_code="ELU",
        parts_en="Gaskets, insulating oil of the same kind.",
        parts_zh="密封垫、同牌号绝缘油。",
        urgency=Urgency.DAYS,
        fails_at=5.3,
    ),
    FaultMode(
        "moisture-ingress",
        "Moisture enters the oil",
        "油中进水受潮",
        ("moisture",),
        "Check the breather's silica gel and the seals; measure breakdown voltage.",
        "检查呼吸器硅胶与密封，测量油击穿电压。",
        signs=(up("moisture"),),
        failure_code="PDE",
        parts_en="Silica gel, breather seals.",
        parts_zh="硅胶、呼吸器密封件。",
        fails_at=6.0,
    ),
)

ADVICE = (
    CoolingLoss(
        "cooling",
        "Clean radiators, check fans and valves",
        "清洁散热器，检查风机与阀门",
        residual="top_oil_residual",
        ageing="ageing_hours",
    ),
    LoadHeadroom(
        "headroom",
        "Carry more load before another unit is switched on or bought",
        "在投运或购置新变压器之前可承担更多负载",
        load="load_current",
        ambient="ambient_temperature",
        hot_spot="hot_spot_temperature",
    ),
)

HOUR_S = 3600.0

# Temperatures: a deadband of 1 % and a minute, where ISA-18.2 starts. Gases: the upper ends of the ranges of
# typical values, which 90 % of transformers keep; monitors sample them by the hour. Their deadband of 5 % and
# their delays are engineering defaults.
LIMITS = (
    StandardLimit(
        "top_oil_temperature",
        105.0,
        "IEC 60076-7, table 2",
        "Top oil hotter than normal cyclic loading allows",
        "顶层油温超过正常周期负载限值",
        "Reduce the load or switch on more cooling; check fans, pumps and radiator valves.",
        "降低负载或投入更多冷却，检查风机、油泵及散热器阀门。",
        deadband=1.05,
        on_delay_s=60.0,
        off_delay_s=60.0,
    ),
    StandardLimit(
        "top_oil_temperature",
        115.0,
        "IEC 60076-7, table 2",
        "Top oil hotter than emergency loading allows",
        "顶层油温超过应急负载限值",
        "Reduce the load now; take an oil sample for a gas analysis before it is fully loaded again.",
        "立即降低负载，恢复满载前取油样做色谱分析。",
        deadband=1.15,
        on_delay_s=60.0,
        off_delay_s=60.0,
    ),
    StandardLimit(
        "hot_spot_temperature",
        120.0,
        "IEC 60076-7, table 2",
        "Hot spot hotter than normal cyclic loading allows",
        "热点温度超过正常周期负载限值",
        "Reduce the load or switch on more cooling; check fans, pumps and radiator valves.",
        "降低负载或投入更多冷却，检查风机、油泵及散热器阀门。",
        deadband=1.2,
        on_delay_s=60.0,
        off_delay_s=60.0,
    ),
    StandardLimit(
        "hot_spot_temperature",
        140.0,
        "IEC 60076-7, table 2",
        "Hot spot hotter than long-time emergency loading allows",
        "热点温度超过长期应急负载限值",
        "Reduce the load now; take an oil sample for a gas analysis before it is fully loaded again.",
        "立即降低负载，恢复满载前取油样做色谱分析。",
        deadband=1.4,
        on_delay_s=60.0,
        off_delay_s=60.0,
    ),
    StandardLimit(
        "hydrogen",
        150.0,
        "IEC 60599, annex A",
        "Hydrogen above the typical value",
        "氢气超过典型值",
        "Take an oil sample for a full gas analysis; look at how fast the gases grow.",
        "取油样做全组分色谱分析，关注产气速率。",
        deadband=7.5,
        on_delay_s=HOUR_S,
        off_delay_s=24 * HOUR_S,
    ),
    StandardLimit(
        "ethylene",
        280.0,
        "IEC 60599, annex A",
        "Ethylene above the typical value",
        "乙烯超过典型值",
        "Take an oil sample (Duval triangle); look for a hot joint or core.",
        "取油样（Duval 三角法），排查过热接头或铁芯。",
        deadband=14.0,
        on_delay_s=HOUR_S,
        off_delay_s=24 * HOUR_S,
    ),
    StandardLimit(
        "methane",
        130.0,
        "IEC 60599, annex A",
        "Methane above the typical value",
        "甲烷超过典型值",
        "Take an oil sample (Duval triangle); look for a hot joint or core.",
        "取油样（Duval 三角法），排查过热接头或铁芯。",
        deadband=6.5,
        on_delay_s=HOUR_S,
        off_delay_s=24 * HOUR_S,
    ),
    StandardLimit(
        "ethane",
        90.0,
        "IEC 60599, annex A",
        "Ethane above the typical value",
        "乙烷超过典型值",
        "Take an oil sample (Duval triangle); look for a hot joint or core.",
        "取油样（Duval 三角法），排查过热接头或铁芯。",
        deadband=4.5,
        on_delay_s=HOUR_S,
        off_delay_s=24 * HOUR_S,
    ),
    # up to 280 ppm if the tap changer shares its oil with the tank
    StandardLimit(
        "acetylene",
        20.0,
        "IEC 60599, annex A",
        "Acetylene above the typical value: discharges",
        "乙炔超过典型值：存在放电",
        "Take an oil sample for a full gas analysis now; find out whether the tap changer's oil gets in.",
        "立即取油样做全组分色谱分析，确认分接开关油室是否渗漏。",
        deadband=1.0,
        on_delay_s=HOUR_S,
        off_delay_s=24 * HOUR_S,
    ),
)

MEASURED = tuple(channel.name for channel in CHANNELS if channel.kind == "measurement")

PACK = VerticalPack(
    EquipmentType("transformer", CHANNELS, "Power transformer", "电力变压器"),
    # tuned on the simulated fleet at one row a minute; the baseline is three daily cycles of load
    Detection(
        off_delay_s=24 * 3600.0,
        baseline_rows=4320,
        health_tau_s=24 * 3600.0,
        given=("load_current",),  # oil follows the weather too slowly to be held against it row by row
        ambient=("ambient_temperature",),
        beside=(ChangePoints(MEASURED, score=5.0),),
    ),
    WEAR,
    FAULT_MODES,
    LIMITS,
    MODELLED,
    advice=ADVICE,
    gases=GasMonitor(tuple((gas, gas) for gas in ("hydrogen", "methane", "ethane", "ethylene", "acetylene"))),
)
