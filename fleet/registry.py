"""Who owns which machine with which channels, renewed when: one immutable picture for a whole chunk."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from fleet.asset import Asset, EquipmentType


@dataclass(frozen=True)
class Registry:
    """Tenants, assets and equipment types as the database knew them at one moment.

    renewed_us: the instants at which assets failed or were restored, in order, by their numbers. changed_us:
    the instants at which parts of assets were changed, in order, each with the part's number.
    """

    tenants: tuple[str, ...]
    assets: tuple[Asset, ...]
    equipment_types: tuple[EquipmentType, ...]
    renewed_us: Mapping[int, Sequence[int]] = field(default_factory=dict)
    changed_us: Mapping[int, Sequence[tuple[int, int]]] = field(default_factory=dict)

    @cached_property
    def _by_tenant(self) -> dict[str, dict[bytes, Asset]]:
        found: dict[str, dict[bytes, Asset]] = {}
        for asset in self.assets:
            found.setdefault(asset.tenant, {})[asset.name.encode()] = asset
        return found

    @cached_property
    def _by_id(self) -> dict[int, Asset]:
        return {asset.asset_id: asset for asset in self.assets}

    @cached_property
    def _types(self) -> dict[str, EquipmentType]:
        return {kind.name: kind for kind in self.equipment_types}

    def by_key(self, tenant: str) -> Mapping[bytes, Asset]:
        """The tenant's assets by their records' key, which is the name in UTF-8."""
        return self._by_tenant.get(tenant, {})

    def asset_by_id(self, asset_id: int) -> Asset:
        """The asset with that number; raises `KeyError`."""
        return self._by_id[asset_id]

    def owns(self, tenant: str, asset_id: int) -> bool:
        """Whether the asset with that number is the tenant's."""
        asset = self._by_id.get(asset_id)
        return asset is not None and asset.tenant == tenant

    def equipment_type(self, name: str) -> EquipmentType:
        """The equipment type of that name; raises `KeyError`."""
        return self._types[name]

    def assets_of(self, tenants: Iterable[str]) -> list[Asset]:
        """Assets of the given tenants, in the order of their numbers."""
        wanted = set(tenants)
        return sorted((a for a in self.assets if a.tenant in wanted), key=lambda a: a.asset_id)
