"""What provisioning needs of a Grafana: organisations, and in each the same three verbs for all of ours."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Any, Protocol

Json = Mapping[str, Any]


class Kind(StrEnum):
    """What we keep in an organisation, in the order in which one needs the other."""

    DATA_SOURCE = "data source"
    FOLDER = "folder"
    PERMISSIONS = "permissions"
    """Who may see a folder, under the folder's uid."""
    DASHBOARD = "dashboard"
    ALERT = "alert rule"
    PREFERENCES = "preferences"
    """Home and language of an organisation; there is one, and it cannot be deleted."""


class Organization(Protocol):
    """One organisation, entered. Each thing is known by kind and uid; `read` gives it in its normal form."""

    def read(self, kind: Kind, uid: str) -> Json | None:
        """What is there, without what Grafana counts for itself (ids, versions, times); None: nothing.

        Raises `GrafanaError`.
        """

    def write(self, kind: Kind, uid: str, spec: Json, password: str | None = None) -> None:
        """Make it or change it so. `password` is a data source's.

        Raises `GrafanaConflict` if somebody changed it since it was read, `GrafanaError`.
        """

    def delete(self, kind: Kind, uid: str) -> None:
        """Take it away; nothing happens if it is not there. Raises `GrafanaError`."""

    def check_data_source(self, uid: str) -> None:
        """Raises `GrafanaError` if Grafana cannot read from it."""

    def others(self, ours: Collection[tuple[str, str]]) -> list[str]:
        """Titles of dashboards, folders, data sources and alert rules beside those of these kinds and uids.

        Raises `GrafanaError`.
        """


class Grafana(Protocol):
    """A server, as its administrator."""

    def find(self, name: str) -> int | None:
        """Number of the organisation of that name."""

    def name(self, organization: int) -> str | None:
        """What an organisation is called now; None if there is none of that number."""

    def create(self, name: str) -> int:
        """A new organisation's number. Raises `GrafanaConflict` if there is one of that name."""

    def delete(self, organization: int) -> None:
        """Take an organisation away with all that is in it."""

    def enter(self, organization: int) -> AbstractContextManager[Organization]:
        """Work in an organisation, with a right that ends with the context."""
