"""A fault code that a machine reports itself, read as a finding: no statistic is asked."""

from fleet.finding import Evidence, Finding

CHECK = (
    "Read the controller's fault memory and clear what caused it.",
    "读取控制器故障记录，排除故障原因。",
)

CHECK_SAFETY = (
    "People may be in danger: act by the emergency plan at once, then look for the cause on site.",
    "可能危及人员安全：立即按应急预案处置，随后现场查明原因。",
)


def read_event(code: str, title_en: str, title_zh: str, safety: bool, text: str) -> Finding:
    """The finding for a code with its titles; its evidence names no channel, "" in its place.

    safety: people are in danger. text: the machine's own words, which may be empty.
    """
    own = f": {text}" if text else ""
    evidence = Evidence(
        "",
        "1",
        1.0,
        None,
        None,
        f"The machine reported fault code {code}{own}",
        f"设备上报故障代码 {code}{own.replace(': ', '：', 1)}",
    )
    return Finding(f"event-{code}", title_en, title_zh, *(CHECK_SAFETY if safety else CHECK), (evidence,))
