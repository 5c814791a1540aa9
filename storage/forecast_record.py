"""What was forecast for machines while they had lives before them that have ended in failure since."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storage.pool import Pool

Floats = NDArray[np.float64]

_SAID = """
select dense_rank() over (order by said.asset_id, ended.ts),
       extract(epoch from ended.ts - said.ts)::float8 / 3600,
       said.p10_h, said.p50_h, said.p90_h, tried.p50_h
from forecast as said
join asset using (asset_id)
left join shadow_forecast as tried on tried.asset_id = said.asset_id and tried.target = said.target
    and tried.ts = said.ts and tried.forecaster = %(challenger)s and tried.verdict = 'estimate',
lateral (select ts, kind from maintenance where maintenance.asset_id = said.asset_id
         and maintenance.ts > said.ts order by maintenance.ts, kind limit 1) as ended
where equipment_type = %(kind)s and said.target = 'condition' and said.forecaster = %(forecaster)s
  and said.verdict = 'estimate' and ended.kind = 'failed'
"""


@dataclass(frozen=True, slots=True)
class Said:
    """A fit's estimates (n,) of lives that ended in failure, in hours.

    life: (n,) numbers the lives. left_h: what was left in truth. challenger_h: the P50 of the challenger at
    the same instant, NaN where it had no estimate.
    """

    life: NDArray[np.int64]
    left_h: Floats
    p10_h: Floats
    p50_h: Floats
    p90_h: Floats
    challenger_h: Floats


async def said_of_ended_lives(
    pool: Pool, equipment_type: str, forecaster: str, challenger: str | None = None
) -> Said:
    """What a fit said while it answered, and the challenger beside it; named as beside their forecasts."""
    params = {"kind": equipment_type, "forecaster": forecaster, "challenger": challenger}
    async with pool.connection() as conn:
        rows = await (await conn.execute(_SAID, params)).fetchall()
    life, *hours = np.array(rows, np.float64).reshape(-1, 6).T
    return Said(life.astype(np.int64), *hours)
