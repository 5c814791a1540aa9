"""Cycles that a machine makes beyond those that its work needs, by two of its counters."""

from dataclasses import dataclass

from fleet.advice import Loss
from fleet.hours import Hours

FEWEST = 100.0
"""Pieces of work below which a ratio says little."""


@dataclass(frozen=True, slots=True)
class ExcessCycles:
    """More of counter `cycles` for each of counter `work` than `allowed`: doors that open again and again."""

    name: str
    title_en: str
    title_zh: str
    cycles: str
    work: str
    allowed: float

    @property
    def channels(self) -> tuple[str, ...]:
        """Both counters."""
        return self.cycles, self.work

    def loss(self, hours: Hours, before: Hours) -> Loss | None:
        """Cycles beyond the allowed ones."""
        cycles, work = hours.grown(self.cycles), hours.grown(self.work)
        if work < FEWEST:
            return None
        return Loss(
            max(cycles - self.allowed * work, 0.0),
            "1",
            len(hours),
            cycles > self.allowed * work,
            False,
            f"{cycles:.0f} cycles for {work:.0f} times work, {cycles / work:.2f} each; "
            f"{self.allowed:g} are enough",
            f"{work:.0f} 次作业共 {cycles:.0f} 次动作，每次 {cycles / work:.2f}，目标为 {self.allowed:g}",
        )
