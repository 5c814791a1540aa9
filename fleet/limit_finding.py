"""A limit that is passed, read as a finding: value, limit, clause, and what to look at first."""

from fleet.asset import Channel
from fleet.dissolved_gas import GasVerdict
from fleet.finding import Evidence, Finding, gas_evidence
from fleet.standard_limit import StandardLimit


def read_limit(limit: StandardLimit, channel: Channel, peak: float, gas: GasVerdict | None = None) -> Finding:
    """The finding for `limit` of `channel`, passed as far as `peak`: a value, rate or change, as it is of.

    `gas`: what dissolved gases say, if it is a gas's limit.
    """
    unit = ("" if channel.unit == "1" else f" {channel.unit}") + ("/s" if limit.per_s else "")
    name_en, name_zh = channel.title_en or channel.name, channel.title_zh or channel.name
    if limit.per_s:
        name_en, name_zh = f"{name_en}, rate of change,", f"{name_zh}变化率"
    if limit.since_new:
        name_en, name_zh = f"{name_en}, change since new or repaired,", f"{name_zh}自投用或检修以来的变化"
    side_en, side_zh = ("above", "高于") if limit.above else ("below", "低于")
    evidence = Evidence(
        channel.name,
        channel.unit,
        1.0,
        peak,
        None,
        f"{name_en} at {peak:.4g}{unit} is {side_en} the limit of {limit.at:g}{unit} ({limit.source})",
        f"{name_zh}达到 {peak:.4g}{unit}，{side_zh}限值 {limit.at:g}{unit}（{limit.source}）",
    )
    return Finding(
        "limit-above" if limit.above else "limit-below",
        limit.title_en,
        limit.title_zh,
        limit.check_en,
        limit.check_zh,
        (evidence, *gas_evidence(gas)),
    )
