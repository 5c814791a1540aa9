"""Lives by the hour, live and from the record: a machine's level of wear and the means of its channels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleet.asset import EquipmentType
from fleet.vertical import VerticalPack
from forecasting.contract import History

HOUR_US = 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class LifeRows:
    """Rows (n,) of one machine, at the instants `ts_us` at which its health was told, rising.

    level: (n,) float64 of wear, 0 as new and 1 at the limit. means: (n, channels) float32 over the hour
    before that of the instant, in the order of columns, NaN where nothing is to be trusted.
    """

    ts_us: NDArray[np.int64]
    level: NDArray[np.float64]
    means: NDArray[np.float32]

    @classmethod
    def of(cls, rows: Iterable[tuple[int, float, Iterable[float | None]]], channels: int) -> "LifeRows":
        """From instants, levels and means, None where there is none; channels added since are NaN."""
        found = list(rows)
        none = [None] * channels
        table = [[*means, *none][:channels] for _, _, means in found]
        return cls(
            np.array([ts_us for ts_us, _, _ in found], np.int64),
            np.array([level for _, level, _ in found], np.float64),
            np.array(table, np.float32).reshape(len(found), channels),
        )

    def take(self, rows: slice) -> "LifeRows":
        """Some of the rows."""
        return LifeRows(self.ts_us[rows], self.level[rows], self.means[rows])


@dataclass(frozen=True, slots=True)
class LifeColumns:
    """What a model looks at beside the level: channels by name, and what tells the regime of an hour.

    bands: set-points with the values, ascending, at which a higher band begins; an hour's regime is where
    their means lie.
    """

    names: tuple[str, ...]
    bands: tuple[tuple[str, tuple[float, ...]], ...] = ()

    @classmethod
    def all_of(cls, pack: VerticalPack) -> "LifeColumns":
        """What is measured or set: counters go on as the clock does, and codes are no quantities."""
        channels = pack.equipment_type.channels
        names = tuple(each.name for each in channels if each.kind in {"measurement", "setpoint"})
        return cls(names, pack.detection.bands)

    @classmethod
    def read(cls, lineage: Mapping[str, Any]) -> "LifeColumns":
        """As a model's lineage has them; raises `KeyError` if it has none."""
        bands = tuple((name, tuple(edges)) for name, edges in lineage["bands"])
        return cls(tuple(lineage["columns"][1:]), bands)

    def without(self, names: Iterable[str]) -> "LifeColumns":
        """The others alone."""
        gone = set(names)
        return LifeColumns(tuple(name for name in self.names if name not in gone), self.bands)

    def usable(self, kind: EquipmentType, rows: LifeRows, since_us: int | None) -> NDArray[np.bool_]:
        """(n,) whether a row has all that is looked at, from an hour that began no earlier than the life."""
        names = [*self.names, *(name for name, _ in self.bands)]
        known = np.isfinite(rows.means[:, [kind.column(name) for name in names]]).all(axis=1)
        hour_us = (rows.ts_us // HOUR_US - 1) * HOUR_US
        return np.asarray(known & (hour_us >= (hour_us if since_us is None else since_us)))

    def history(
        self, kind: EquipmentType, rows: LifeRows, which: NDArray[np.bool_], first_us: int
    ) -> History:
        """Some rows of a life as a forecaster wants them; age counts from `first_us`."""
        means = rows.means[which].astype(np.float64)
        x = np.column_stack([rows.level[which], means[:, [kind.column(name) for name in self.names]]])
        bands = [np.digitize(means[:, kind.column(name)], edges) for name, edges in self.bands]
        setting = np.array(bands, np.float64).reshape(len(bands), len(x)).T
        return History((rows.ts_us[which] - first_us) / 3.6e9, x, setting)


LEVEL_ALONE = LifeColumns(())
