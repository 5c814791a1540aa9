"""`faultline tenants`: let customers and staff look at the database, each at their own machines alone."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from console.access import keeper_of
from console.databases import Databases
from console.output import fail, out, print_json, print_table, tell
from console.settings import load_settings
from dashboards.text import Language
from storage.access.grants import Kind, Scope
from storage.access.logins import Login
from storage.server.cluster import write_secret

app = typer.Typer(
    no_args_is_help=True,
    help="Let customers and staff look at the database, each at their own machines alone.",
)


class Staff(StrEnum):
    """Who sees machines of several tenants, or how the platform works."""

    TECHNICIAN = "technician"
    MAKER = "maker"
    OPERATIONS = "operations"


Name = Annotated[str, typer.Argument(help="The tenant, or the name given to a technician or maker.")]
Passfile = Annotated[
    Path | None, typer.Option(help="Where the password goes (libpq's format, for its owner alone).")
]
Tenant = Annotated[str | None, typer.Option(help="Machines of this tenant; none: of all.")]
Site = Annotated[str | None, typer.Option(help="Only those at this site of the tenant.")]
Type = Annotated[str | None, typer.Option("--type", help="Only those of this equipment type.")]
Speaks = Annotated[Language | None, typer.Option("--language", help="In which Grafana greets them.")]


@app.command(epilog="Example: faultline tenants add acme --passfile acme.pgpass")
def add(
    tenant: Annotated[str, typer.Argument(help="A tenant.")],
    language: Speaks = None,
    passfile: Passfile = None,
) -> None:
    """Let a tenant see its machines; said again, its views follow the fleet as it is now."""
    _give(tenant, Kind.CUSTOMER, [Scope(tenant)], language, passfile)


@app.command(epilog="Example: faultline tenants grant anna --tenant acme --site tower-1")
def grant(
    name: Annotated[str, typer.Argument(help="A name for them.")],
    kind: Annotated[Staff, typer.Option(help="Whose access it is.")] = Staff.TECHNICIAN,
    tenant: Tenant = None,
    site: Site = None,
    kind_of_machine: Type = None,
    all_tenants: Annotated[bool, typer.Option("--all", help="Machines of all tenants.")] = False,
    language: Speaks = None,
    passfile: Passfile = None,
) -> None:
    """Let a technician or maker see these machines too; each call adds to what they see.

    `--kind operations` is for those who run the platform: they see how it works, and no machine.
    """
    if kind is Staff.OPERATIONS:
        if tenant or site or kind_of_machine or all_tenants:
            fail("operations see no machine: leave --tenant, --site, --type and --all out", 2)
        _give(name, Kind.OPERATIONS, (), language, passfile)
    else:
        scope = _scope(tenant, site, kind_of_machine, all_tenants)
        _give(name, Kind(kind), [scope], language, passfile)


@app.command(epilog="Example: faultline tenants revoke anna --tenant acme --site tower-1")
def revoke(
    name: Name,
    tenant: Tenant = None,
    site: Site = None,
    kind_of_machine: Type = None,
    all_tenants: Annotated[bool, typer.Option("--all", help="The grant for all tenants.")] = False,
) -> None:
    """Take one grant back."""
    with keeper_of(load_settings()) as (keeper, _):
        left = keeper.take(name, _scope(tenant, site, kind_of_machine, all_tenants)).scopes
    out.print(f"{name} sees {'; '.join(map(str, left)) or 'nothing'}", highlight=False)


@app.command("list", epilog="Example: faultline tenants list --json")
def list_access(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show who may look, at what, and with how many logins."""
    with keeper_of(load_settings()) as (keeper, _):
        found = keeper.known()
    if as_json:
        print_json([{"access": access, "logins": roles} for access, roles in found])
        return
    rows = [
        (
            access.name,
            access.kind,
            _seen(access.kind, access.scopes),
            access.access_id,
            len(roles),
            f"{access.suspended_at:%Y-%m-%d}" if access.suspended_at else "",
        )
        for access, roles in found
    ]
    print_table(f"{len(rows)} may look", ["name", "as", "sees", "schema", "logins", "suspended"], rows)


@app.command(epilog="Example: faultline tenants suspend acme")
def suspend(name: Name) -> None:
    """Shut somebody out at once; `resume` undoes it."""
    with keeper_of(load_settings()) as (keeper, _):
        keeper.suspend(name)
    out.print(f"{name} is shut out", highlight=False)


@app.command(epilog="Example: faultline tenants resume acme")
def resume(name: Name) -> None:
    """Let somebody in again who was shut out."""
    with keeper_of(load_settings()) as (keeper, _):
        keeper.resume(name)
    out.print(f"{name} may look again", highlight=False)


@app.command(epilog="Example: faultline tenants rotate acme --passfile acme.pgpass")
def rotate(
    name: Name,
    passfile: Passfile = None,
    finish: Annotated[bool, typer.Option("--finish", help="End the logins before the newest.")] = False,
) -> None:
    """Give a new login and password; the one before is good until `--finish`."""
    with keeper_of(load_settings()) as (keeper, found):
        if finish:
            gone = keeper.finish(name)
            out.print(f"logins ended: {len(gone)}; the newest is good", highlight=False)
        else:
            _hand_over(found, keeper.rotate(name), passfile or _passfile(name))
            tell(f"the login before is good until: faultline tenants rotate {name} --finish")


@app.command(epilog="Example: faultline tenants remove acme --yes")
def remove(name: Name, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Take an access away with its views and logins. The tenant's data stays."""
    if not yes:
        typer.confirm(f"Take the access of {name} away? Dashboards that use it stop working", abort=True)
    with keeper_of(load_settings()) as (keeper, _):
        keeper.remove(name)
    out.print(f"{name} has no access any more", highlight=False)


def _scope(tenant: str | None, site: str | None, kind: str | None, all_tenants: bool) -> Scope:
    if all_tenants and tenant:
        fail("--all and --tenant are two grants: give one of them", 2)
    if site and not tenant:
        fail("a site is a tenant's: say --tenant too", 2)
    if not (all_tenants or tenant or kind):
        fail("say what: --tenant (and --site), --type, or --all", 2)
    return Scope(tenant, site, kind)


def _give(
    name: str, kind: Kind, scopes: Sequence[Scope], language: Language | None, passfile: Path | None
) -> None:
    with keeper_of(load_settings()) as (keeper, found):
        login = keeper.give(name, kind, scopes)
        if language is not None:
            keeper.speak(name, language)
        if login is not None:
            _hand_over(found, login, passfile or _passfile(name))
        else:
            out.print(f"{name} sees {_seen(kind, scopes)}; its login is as it was", highlight=False)


def _seen(kind: str, scopes: Sequence[Scope]) -> str:
    return "the platform" if kind == Kind.OPERATIONS else "; ".join(map(str, scopes)) or "nothing"


def _hand_over(found: Databases, login: Login, passfile: Path) -> None:
    """Print how to log in; the password goes into a file alone."""
    server = conninfo_to_dict(found.writer)
    place: dict[str, Any] = {name: server[name] for name in ("host", "port", "dbname") if name in server}
    passfile.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(passfile, f"*:*:{place.get('dbname', '*')}:{login.role}:{login.password}\n")
    out.print(
        make_conninfo(**place, user=login.role, passfile=str(passfile)), highlight=False, soft_wrap=True
    )


def _passfile(name: str) -> Path:
    """Where a password goes if nobody says where."""
    return load_settings().data_dir / "access" / f"{name}.pgpass"
