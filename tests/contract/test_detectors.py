"""Every detector in the catalog keeps the contract's promises, and the suite notices one that does not."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.catalog import catalog
from detectors.contract import Detector, Samples, Scores
from detectors.ewma_t2 import EwmaT2
from tests.contract.detector_suite import (
    CHECKS,
    Make,
    check_bounded,
    check_causal,
    check_chunk_independent,
    check_contributions,
    check_deterministic,
    check_finite,
    check_leaves_arrays_alone,
    check_prior,
    check_promise,
    check_rejects_damage,
    check_renews,
    check_sees_a_shift,
    check_slots_independent,
    check_state,
    check_usable_before_fit,
    check_widens,
)

Check = Callable[[Make], None]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", catalog())
def test_every_detector_keeps_the_contract(name: str, check: Check) -> None:
    check(catalog()[name])


def test_the_catalog_knows_detectors_by_their_names() -> None:
    assert {"ewma_t2", "window_knn"} <= catalog().keys()
    assert all(name == detector.NAME for name, detector in catalog().items())


class PeeksAhead(EwmaT2):
    def update(self, samples: Samples) -> Scores:
        found = super().update(samples)
        return replace(found, score=np.maximum.accumulate(found.score[::-1])[::-1])


class CentresEachUpdate(EwmaT2):
    def update(self, samples: Samples) -> Scores:
        centre = np.nanmean(samples.x[:, :1], axis=0) if len(samples.x) > 1 else np.zeros(1)
        return super().update(replace(samples, x=(samples.x - centre).astype(np.float32)))


class RollsDice(EwmaT2):
    def update(self, samples: Samples) -> Scores:
        found = super().update(samples)
        dice = np.random.default_rng().random(len(found.score), np.float32)
        return replace(found, score=found.score + dice)


class ForgetsItsEwma(EwmaT2):
    def load(self, state: bytes) -> None:
        super().load(state)
        self._ewma[:] = 0


class LoadsAnything(EwmaT2):
    def load(self, state: bytes) -> None:
        pass


class SharesOneBaseline(EwmaT2):
    def update(self, samples: Samples) -> Scores:
        return super().update(replace(samples, slot=np.zeros_like(samples.slot)))


class Overflows(EwmaT2):
    def update(self, samples: Samples) -> Scores:
        found = super().update(samples)
        largest = np.nanmax(np.abs(samples.x), axis=1, initial=0)
        return replace(found, score=np.where(largest > 1e30, np.inf, found.score).astype(np.float32))


class KeepsEveryRow(EwmaT2):
    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.kept: list[NDArray[np.float32]] = []

    def update(self, samples: Samples) -> Scores:
        self.kept.append(samples.x.copy())
        return super().update(samples)

    def state(self) -> bytes:
        return super().state() + b"".join(x.tobytes() for x in self.kept)


class BlamesByHalf(EwmaT2):
    def update(self, samples: Samples) -> Scores:
        found = super().update(samples)
        return replace(found, contribution=found.contribution / np.float32(2))


class FillsGaps(EwmaT2):
    def update(self, samples: Samples) -> Scores:
        np.nan_to_num(samples.x, copy=False)
        return super().update(samples)


class KeepsAReference(EwmaT2):
    last: NDArray[np.float32] | None = None

    def update(self, samples: Samples) -> Scores:
        found = super().update(samples)
        if self.last is not None:
            found.score[:] += np.float32(np.nansum(self.last) % 1)
        self.last = samples.x
        return found


class InsistsOnFit(EwmaT2):
    fitted = False

    def update(self, samples: Samples) -> Scores:
        if not self.fitted:
            raise AssertionError("fit me first")
        return super().update(samples)


class IgnoresItsPrior(EwmaT2):
    def fit(self, x: NDArray[np.float32], regime: NDArray[np.int16]) -> None:
        pass


class SeesNothing(EwmaT2):
    def update(self, samples: Samples) -> Scores:
        found = super().update(samples)
        return replace(found, score=np.minimum(found.score, np.float32(1)))


class StartsOver(EwmaT2):
    def widen(self, channels: int, given: Sequence[int] = ()) -> None:
        self.__init__(channels)  # type: ignore[misc]


class Remembers(EwmaT2):
    def renew(self, slot: int) -> None:
        pass


class CriesWolf(EwmaT2):
    def update(self, samples: Samples) -> Scores:
        found = super().update(samples)
        return replace(found, score=np.float32(3) * found.score)


BROKEN: list[tuple[Any, Check]] = [
    (PeeksAhead, check_causal),
    (CentresEachUpdate, check_chunk_independent),
    (RollsDice, check_deterministic),
    (ForgetsItsEwma, check_state),
    (LoadsAnything, check_rejects_damage),
    (SharesOneBaseline, check_slots_independent),
    (Overflows, check_finite),
    (KeepsEveryRow, check_bounded),
    (BlamesByHalf, check_contributions),
    (FillsGaps, check_leaves_arrays_alone),
    (KeepsAReference, check_leaves_arrays_alone),
    (InsistsOnFit, check_usable_before_fit),
    (IgnoresItsPrior, check_prior),
    (SeesNothing, check_sees_a_shift),
    (StartsOver, check_widens),
    (Remembers, check_renews),
    (CriesWolf, check_promise),
]


@pytest.mark.parametrize(("broken", "check"), BROKEN, ids=lambda each: each.__name__)
def test_the_suite_catches(broken: type[Detector], check: Check) -> None:
    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception)):
        check(broken)


def test_every_check_is_shown_to_fail() -> None:
    assert set(CHECKS) == {check for _, check in BROKEN}
