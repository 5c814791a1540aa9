"""Working cycles of a crane by the loads it lifted (ISO 4301-1, class of utilization and load spectrum)."""

from typing import ClassVar, Self

from forecasting.wear.contract import Lifetime, Quantity
from forecasting.wear.counted import CountedModel
from forecasting.wear.model import WearModel

EXPONENT = 3.0
"""Of the load in the load spectrum factor Kp = Σ (n_i/N) (m_i/m_max)³."""

LOAD = Quantity("load", "%", 150.0, load=True)

CYCLES = {"U2": 63_000, "U3": 125_000, "U4": 250_000, "U5": 500_000, "U6": 1_000_000, "U7": 2_000_000}
"""Most working cycles of a design life by class of utilization (ISO 4301-1; from memory, not verified)."""

SPECTRUM = {"Q1": 0.125, "Q2": 0.25, "Q3": 0.5, "Q4": 1.0}
"""Nominal load spectrum factor by state of loading (ISO 4301-1; from memory, not verified)."""

WARN_AT = 0.9
"""Part of the life at which a special assessment is to be planned (ISO 12482); engineering default."""


class LoadSpectrum(CountedModel):
    """Working cycles with the largest load that would wear as much; the limit is cycles x spectrum factor.

    Duty: working cycles so far, and the load of the latest in % of the rated capacity. At the limit the crane
    has used up what it was designed for and is assessed anew (ISO 12482, design working period). The factor
    is that of wear by the third power of the load; welds have their own model, `fatigue`.
    """

    NAME: ClassVar[str] = "load_spectrum"
    VERSION: ClassVar[int] = 1

    def __init__(self, utilization: str, loading: str) -> None:
        if utilization not in CYCLES or loading not in SPECTRUM:
            known = f"{', '.join(CYCLES)} and {', '.join(SPECTRUM)}"
            raise ValueError(f"no classes {utilization} and {loading}: there are {known}")
        limit = CYCLES[utilization] * SPECTRUM[loading]
        lifetime = Lifetime("1", warning=WARN_AT * limit, limit=limit)
        super().__init__(lifetime, "cycles", (LOAD,), (EXPONENT,), 100.0**EXPONENT)

    @classmethod
    def example(cls) -> Self:
        """A crane of group A4: U4 with Q2."""
        return cls("U4", "Q2")


WEAR_MODEL: type[WearModel] = LoadSpectrum
