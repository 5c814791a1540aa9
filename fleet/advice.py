"""What a machine could save, by rules over its hours, and whether advice of the span before came true."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from fleet.hours import Hours

FEWEST = 24
"""Hours that must be known before anything is advised; engineering default."""


class Confidence(StrEnum):
    """How far an estimate can be trusted."""

    HIGH = "high"
    """Measured, over most of the span."""
    MEDIUM = "medium"
    """Measured over half of it, or with a figure that is assumed."""
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Loss:
    """What was lost over `hours` known hours, in `unit`; `worth`: more than a rule lets pass.

    `assumed`: the amount rests on a figure of the pack (a power, a rate, an exponent), not the machine's own.
    """

    amount: float
    unit: str
    hours: int
    worth: bool
    assumed: bool
    reason_en: str
    reason_zh: str


class AdviceRule(Protocol):
    """One way to lose, as data of a vertical pack."""

    @property
    def name(self) -> str:
        """Tells the rules of a pack apart."""
        ...

    @property
    def title_en(self) -> str:
        """What to do, in English."""
        ...

    @property
    def title_zh(self) -> str:
        """What to do, in Chinese."""
        ...

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that it reads."""
        ...

    def loss(self, hours: Hours, before: Hours) -> Loss | None:
        """What was lost in `hours`, held against the span before if need be; None if it cannot be said."""
        ...


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do and what it would save over a span like the last one, in `unit`; 0: nothing is left to save.

    `advised` is what the same rule would have promised a span earlier, None if nothing; `realised` is how
    much less has been lost since than at the pace of then, below 0 if more. Neither knows who did what.
    """

    name: str
    title_en: str
    title_zh: str
    saving: float
    unit: str
    confidence: Confidence
    reason_en: str
    reason_zh: str
    advised: float | None
    realised: float | None


def advise(rules: Sequence[AdviceRule], now: Hours, before: Hours, earlier: Hours) -> list[Advice]:
    """What is worth doing, or was a span ago, by three spans of equal length that follow each other."""
    found = []
    for rule in rules:
        loss = rule.loss(now, before) if len(now) >= FEWEST else None
        then = rule.loss(before, earlier) if len(before) >= FEWEST else None
        if loss and (loss.worth or (then and then.worth)):
            found.append(_advice(rule, loss, then, now))
    return found


def _advice(rule: AdviceRule, loss: Loss, then: Loss | None, now: Hours) -> Advice:
    advised = realised = None
    if then and then.worth:
        advised = round(then.amount, 1)
        realised = round(then.amount * loss.hours / then.hours - loss.amount, 1)
    return Advice(
        rule.name,
        rule.title_en,
        rule.title_zh,
        round(loss.amount, 1) if loss.worth else 0.0,
        loss.unit,
        _confidence(loss, now.asked),
        loss.reason_en,
        loss.reason_zh,
        advised,
        realised,
    )


def _confidence(loss: Loss, asked: int) -> Confidence:
    if loss.hours < 0.5 * asked:
        return Confidence.LOW
    return Confidence.HIGH if loss.hours >= 0.8 * asked and not loss.assumed else Confidence.MEDIUM
