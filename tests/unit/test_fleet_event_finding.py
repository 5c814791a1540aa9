"""A machine's own fault code becomes a finding in two languages; danger to people says what to do first."""

from fleet.event_finding import read_event


def test_a_code_that_endangers_people_asks_for_the_emergency_plan_first() -> None:
    said = read_event("7", "Passengers trapped at floor level", "平层关人", safety=True, text="floor 3")
    assert (said.code, said.title_en, said.title_zh) == (
        "event-7",
        "Passengers trapped at floor level",
        "平层关人",
    )
    assert "emergency plan" in said.check_en
    assert "应急预案" in said.check_zh
    (evidence,) = said.evidence
    assert evidence.sentence_en == "The machine reported fault code 7: floor 3"
    assert evidence.sentence_zh == "设备上报故障代码 7：floor 3"


def test_another_code_asks_for_the_controllers_memory_and_has_no_words_of_its_own_without_text() -> None:
    said = read_event("9", "Power failure", "停电", safety=False, text="")
    assert "emergency" not in said.check_en
    assert said.evidence[0].sentence_en == "The machine reported fault code 9"
    assert (said.basis, said.modes) == (None, ())
