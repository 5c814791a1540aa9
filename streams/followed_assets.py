"""Assets whose lives are followed by the hour, for each fitted model in use that learned from hours.

What a model makes of a life depends on its fit, so a life is followed anew for each: from what is stored up
to the first message of a chunk, and from the messages after that. Both are the same rows.
"""

import json
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.slots import NEVER
from detectors.state_bytes import pack, unpack
from fleet.asset import EquipmentType
from fleet.life_rows import LifeRows
from fleet.model_scope import Scope
from forecasting.followed_lives import FollowedLives, Latest
from streams.forecasters import CONDITION, Follower, Forecasters
from streams.health_message import HealthMessage
from streams.registry_cache import RegistryCache

STATE, FOLLOWED = "followed-assets-1", "followed-lives-1"

MOST_AT_ONCE = 200
"""Assets that are read anew before one chunk, so that it does not wait for long; others come later."""

ASSET = np.dtype([("asset_id", np.int64), ("since_us", np.int64), ("first_us", np.int64)])
"""Of a slot: after which renewal its life counts (`NEVER`: none is known); the instant of its first row."""

FitKey = tuple[str, int]
"""Equipment type and number of a fit."""

Heard = Callable[[int], int | None]
"""When an asset's condition was told last."""


class _Followed:
    """The assets that are followed for one fit."""

    def __init__(self, lives: FollowedLives, assets: NDArray[np.void]) -> None:
        self.lives = lives
        self.assets = assets
        self._slots = {asset_id: slot for slot, asset_id in enumerate(assets["asset_id"].tolist())}

    @classmethod
    def loaded(cls, columns: int, state: bytes) -> "_Followed":
        """From what `state` gave; raises `StateError`."""
        lives = FollowedLives(columns)
        found = unpack(FOLLOWED, state, {"assets": np.zeros(0, ASSET), **lives.arrays()})
        lives.load(found)
        return cls(lives, found["assets"])

    def state(self) -> bytes:
        """One entry for each slot."""
        return pack(FOLLOWED, {"assets": self.assets, **self.lives.arrays()})

    def since_us(self, asset_id: int) -> int | None:
        """After which renewal the asset's life counts; None if it is not followed."""
        slot = self._slots.get(asset_id)
        return None if slot is None else int(self.assets["since_us"][slot])

    def begin(self, asset_id: int, since_us: int) -> None:
        """A life of which nothing has been seen."""
        if asset_id not in self._slots:
            self._slots[asset_id] = len(self.assets)
            self.assets = np.append(self.assets, np.zeros(1, ASSET))
        slot = self._slots[asset_id]
        self.assets[slot] = asset_id, since_us, NEVER
        self.lives.begin(slot)

    def take(self, asset_id: int, by: Follower, kind: EquipmentType, rows: LifeRows) -> None:
        """Take in rows of a life."""
        slot = self._slots[asset_id]
        if not len(rows.ts_us):
            return
        if self.assets["first_us"][slot] == NEVER:
            self.assets["first_us"][slot] = rows.ts_us[0]
        since_us, first_us = (int(self.assets[name][slot]) for name in ("since_us", "first_us"))
        which = by.columns.usable(kind, rows, None if since_us == NEVER else since_us)
        self.lives.take(slot, by.regressions, by.columns.history(kind, rows, which, first_us))

    def latest(self, asset_id: int, at_us: int) -> Latest:
        """The asset's life at an instant."""
        slot = self._slots[asset_id]
        return self.lives.latest(slot, (at_us - int(self.assets["first_us"][slot])) / 3.6e9)


class FollowedAssets:
    """The lives of one tenant's assets in one partition."""

    def __init__(self, tenant: str, registry: RegistryCache, forecasters: Forecasters) -> None:
        self._tenant = tenant
        self._registry = registry
        self._forecasters = forecasters
        self._fits: dict[FitKey, _Followed] = {}

    async def reach(self, messages: Sequence[HealthMessage], heard_us: Heard) -> None:
        """Read what is stored of assets that are not followed yet, before these messages.

        Nothing is awaited after the last look at what is missing, so that no change comes in between.
        """
        from_us = dict[int, int]()
        for message in messages:
            heard = heard_us(message.asset_id)
            from_us.setdefault(message.asset_id, max(message.ts_us, (heard or 0) + 1))
        self._forget_what_is_not_in_use()
        now = list(dict.fromkeys(asset_id for asset_id, _ in self._missing(from_us, heard_us)))
        from_us = {asset_id: from_us[asset_id] for asset_id in now[:MOST_AT_ONCE]}
        while missing := list(self._missing(from_us, heard_us)):
            for asset_id, by in missing:
                kind, since_us = self._kind(asset_id), self._since_us(asset_id, from_us[asset_id])
                after_us = None if since_us == NEVER else since_us
                past = await self._forecasters.past(
                    asset_id, len(kind.channels), after_us, from_us[asset_id] - 1
                )
                followed = self._of(kind.name, by)
                followed.begin(asset_id, since_us)
                followed.take(asset_id, by, kind, past)

    def _missing(self, from_us: dict[int, int], heard_us: Heard) -> Iterator[tuple[int, Follower]]:
        """Assets that are not followed, or of which a renewal was heard late, and for which fit."""
        for asset_id, first_us in from_us.items():
            kind, since_us = self._kind(asset_id), self._since_us(asset_id, first_us)
            for by in self._followers(kind.name):
                known = self._of(kind.name, by).since_us(asset_id)
                if known is None or (known != since_us and not _begins(since_us, heard_us(asset_id))):
                    yield asset_id, by

    def extend(self, message: HealthMessage, heard_us: int) -> None:
        """Take in a message later than the one before, which came at `heard_us`, if its asset is followed."""
        kind = self._kind(message.asset_id)
        since_us = self._since_us(message.asset_id, message.ts_us)
        row = LifeRows.of([(message.ts_us, message.levels[CONDITION], message.means)], len(kind.channels))
        for by in self._followers(kind.name):
            followed = self._of(kind.name, by)
            known = followed.since_us(message.asset_id)
            if known is None:
                continue
            if known != since_us and _begins(since_us, heard_us):
                followed.begin(message.asset_id, since_us)
            followed.take(message.asset_id, by, kind, row)

    def latest(self, message: HealthMessage) -> dict[int, Latest]:
        """The asset's life at a message, by fit; none of a fit for which it is to be read anew."""
        kind = self._kind(message.asset_id)
        since_us = self._since_us(message.asset_id, message.ts_us)
        found = {by.fit: self._of(kind.name, by) for by in self._followers(kind.name)}
        return {
            fit: followed.latest(message.asset_id, message.ts_us)
            for fit, followed in found.items()
            if followed.since_us(message.asset_id) == since_us
        }

    def _of(self, kind: str, by: Follower) -> _Followed:
        if (kind, by.fit) not in self._fits:
            columns, _ = by.regressions.signals.columns
            self._fits[kind, by.fit] = _Followed(FollowedLives(columns), np.zeros(0, ASSET))
        return self._fits[kind, by.fit]

    def _kind(self, asset_id: int) -> EquipmentType:
        registry = self._registry.current
        return registry.equipment_type(registry.asset_by_id(asset_id).equipment_type)

    def _followers(self, kind: str) -> list[Follower]:
        return self._forecasters.followers(Scope(kind, self._tenant))

    def _since_us(self, asset_id: int, at_us: int) -> int:
        """The last renewal before an instant; a row at the instant of one belongs to the life before."""
        renewed_us = self._registry.current.renewed_us.get(asset_id, ())
        place = bisect_left(renewed_us, at_us)
        return renewed_us[place - 1] if place else NEVER

    def _forget_what_is_not_in_use(self) -> None:
        kinds = {kind for kind, _ in self._fits}
        used = {(kind, by.fit) for kind in kinds for by in self._followers(kind)}
        self._fits = {key: followed for key, followed in self._fits.items() if key in used}

    def state(self) -> bytes:
        """Each fit's lives, slot by slot."""
        keys = sorted(self._fits)
        states = [self._fits[key].state() for key in keys]
        columns = [self._fits[key].lives.columns for key in keys]
        index = json.dumps([keys, columns, [len(state) for state in states]]).encode()
        parts = {"index": index, "states": b"".join(states)}
        return pack(STATE, {name: np.frombuffer(part, np.uint8) for name, part in parts.items()})

    def load(self, state: bytes) -> None:
        """Go on from `state`; raises `StateError`."""
        raw = np.empty(0, np.uint8)
        found = unpack(STATE, state, {"index": raw, "states": raw})
        states, at = found["states"].tobytes(), 0
        self._fits = {}
        for (kind, fit), columns, size in zip(*json.loads(found["index"].tobytes()), strict=True):
            self._fits[kind, fit] = _Followed.loaded(columns, states[at : at + size])
            at += size


def _begins(since_us: int, heard_us: int | None) -> bool:
    """Whether a renewal lies after all that was heard, so that what comes now is all of the life."""
    return heard_us is not None and heard_us <= since_us
