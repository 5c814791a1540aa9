"""Gives access and takes it away: roles as the server's administrator, views as the database's owner.

The two cannot be one transaction. Steps come in an order that leaves nothing open when one fails, and each
may be repeated: said again, `give` mends what was left half done.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.asset import EquipmentType
from storage.access import grants, logins
from storage.access.grants import Access, Kind, Scope
from storage.access.logins import Login, Use, administrator


@dataclass(frozen=True, slots=True)
class Keeper:
    """Conninfo of a superuser and of the owner, for one database."""

    admin_dsn: str
    owner_dsn: str

    def known(self) -> list[tuple[Access, list[str]]]:
        """Every access and its logins."""
        with grants.session(self.owner_dsn) as owner, administrator(self.admin_dsn) as admin:
            return [(access, logins.logins(admin, access)) for access in grants.known(owner)]

    def give(self, name: str, kind: Kind, scopes: Sequence[Scope]) -> Login | None:
        """Let `name` see these parts of the fleet too; a login if it has none yet. Raises `StorageError`."""
        with grants.session(self.owner_dsn) as owner:
            access = grants.give(owner, name, kind, scopes)
        with administrator(self.admin_dsn) as admin:
            logins.make_reader(admin, access)
            self._show(access)
            has = logins.logins(admin, access, Use.PEOPLE)
            return None if has else logins.new_login(admin, access)

    def take(self, name: str, scope: Scope) -> Access:
        """Let `name` no longer see by that grant. Raises `StorageError`."""
        with grants.session(self.owner_dsn) as owner:
            access = grants.take(owner, name, scope)
        self._show(access)
        return access

    def speak(self, name: str, language: str) -> None:
        """Let Grafana greet `name` in this language, `en` or `zh`. Raises `StorageError`."""
        with grants.session(self.owner_dsn) as owner:
            grants.speak(owner, name, language)

    def grafana_logins(self, access: Access) -> list[str]:
        """The logins that Grafana has of an access, the oldest first."""
        with administrator(self.admin_dsn) as admin:
            return logins.logins(admin, access, Use.GRAFANA)

    def equipment_types(self, access: Access) -> list[EquipmentType]:
        """The types of the machines that an access sees, with their channels."""
        with grants.session(self.owner_dsn) as owner:
            return grants.types(owner, access.access_id)

    def suspend(self, name: str) -> None:
        """Shut `name` out at once; what it sees stays on record. Raises `StorageError`."""
        with grants.session(self.owner_dsn) as owner:
            access = grants.find(owner, name)
            grants.suspend(owner, access, suspended=True)
        with administrator(self.admin_dsn) as admin:
            for role in logins.logins(admin, access):
                logins.shut_login(admin, role)

    def resume(self, name: str) -> None:
        """Let `name` in again, with the logins that it had. Raises `StorageError`."""
        with grants.session(self.owner_dsn) as owner:
            access = grants.find(owner, name)
            grants.suspend(owner, access, suspended=False)
        with administrator(self.admin_dsn) as admin:
            for role in logins.logins(admin, access):
                logins.open_login(admin, role)

    def rotate(self, name: str, use: Use = Use.PEOPLE) -> Login:
        """One more login for `name`; those before it are good until `finish`. Raises `StorageError`."""
        with grants.session(self.owner_dsn) as owner:
            access = grants.find(owner, name)
        with administrator(self.admin_dsn) as admin:
            return logins.new_login(admin, access, use)

    def finish(self, name: str) -> list[str]:
        """End all logins of `name` but the newest and Grafana's; which went. Raises `StorageError`."""
        with grants.session(self.owner_dsn) as owner:
            access = grants.find(owner, name)
        with administrator(self.admin_dsn) as admin:
            old = logins.logins(admin, access, Use.PEOPLE)[:-1]
            for role in old:
                logins.drop_login(admin, role)
            return old

    def finish_grafana(self, access: Access, role: str | None) -> None:
        """End Grafana's logins of an access but `role`."""
        with administrator(self.admin_dsn) as admin:
            for other in logins.logins(admin, access, Use.GRAFANA):
                if other != role:
                    logins.drop_login(admin, other)

    def remove(self, name: str) -> None:
        """Take the access of `name` away with its views and logins; the data stays.

        Raises `StorageError`, also while Grafana has an organisation for it.
        """
        with grants.session(self.owner_dsn) as owner:
            grants.check_not_shown(owner, grants.find(owner, name))
        self.suspend(name)
        with grants.session(self.owner_dsn) as owner:
            access = grants.find(owner, name)
            grants.hide(owner, access)
        with administrator(self.admin_dsn) as admin:
            for role in logins.logins(admin, access):
                logins.drop_login(admin, role)
            logins.drop_reader(admin, access)
        with grants.session(self.owner_dsn) as owner:
            grants.forget(owner, access)

    def _show(self, access: Access) -> None:
        with grants.session(self.owner_dsn) as owner:
            grants.show(owner, access)
