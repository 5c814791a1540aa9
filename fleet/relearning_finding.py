"""A normal that is learned anew because a fit of what surroundings explain came or went, as a finding."""

from fleet.finding import Evidence, Finding

RELEARNED = (
    "normal-relearned",
    "Normal is learned anew",
    "重新学习正常水平",
    "Nothing is wrong: until its own rows say what is normal, machines of its type do.",
    "设备无异常：在本机数据重新学得正常水平之前，按同类设备判断。",
)


def read_relearning(fit: int) -> Finding:
    """The finding for a machine that begins under that fit, 0 for none; its evidence names no channel."""
    if fit:
        says_en = f"What load and weather explain is taken out from now on, as fit {fit} has it"
        says_zh = f"自此扣除负载与环境所能解释的部分（模型版本 {fit}）"
    else:
        says_en = "What load and weather explain is not taken out any more"
        says_zh = "自此不再扣除负载与环境所能解释的部分"
    return Finding(*RELEARNED, (Evidence("", "1", 1.0, None, None, says_en, says_zh),))
