"""Whose machines a model is fitted on and answers for: all of an equipment type, or one tenant's."""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Scope(NamedTuple):
    """An equipment type, of one tenant if it is given."""

    equipment_type: str
    tenant: str | None = None

    def __str__(self) -> str:
        return self.equipment_type if self.tenant is None else f"{self.equipment_type} of {self.tenant}"


def nearest(by_scope: Mapping[Scope, T], scope: Scope) -> T | None:
    """What is the tenant's own, or else the type's; never another tenant's."""
    own = by_scope.get(scope)
    return own if own is not None else by_scope.get(Scope(scope.equipment_type))
