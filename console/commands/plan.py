"""`faultline plan`: when to service what."""

import re
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated

import typer

from console.command_database import with_database
from console.output import fail, out, print_json, tell
from console.plan_view import document, show
from console.service_needs import Past, Unknown, never_forecast, sort_out
from console.settings import load_settings
from fleet import service_plan
from fleet.asset import FleetError
from fleet.catalog import packs
from fleet.service_plan import Need
from fleet.service_terms import Terms, parse_terms
from storage.maintenance import last_events
from storage.pool import Pool
from storage.queries import first_health, latest_forecasts
from storage.registry import load_registry

EXAMPLE = "Example: faultline plan --horizon 90d --terms terms.toml --tenant acme"

LONGEST_DAYS = 730


def parse_days(text: str) -> int:
    """Days of `90d` or `12w`; raises `typer.BadParameter`."""
    found = re.fullmatch(r"(\d{1,4})([dw])", text.strip())
    days = int(found[1]) * (7 if found[2] == "w" else 1) if found else 0
    if not 1 <= days <= LONGEST_DAYS:
        raise typer.BadParameter(f"say it as 90d or 12w, up to {LONGEST_DAYS}d, not {text!r}")
    return days


def plan(
    horizon: Annotated[str, typer.Option(help="How far ahead: 90d, 12w.")] = "90d",
    terms: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Costs and crews, TOML; none: made-up ones."),
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Only this customer's machines.")] = None,
    today: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Plan as of this day (UTC); none: today.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Choose service dates from the remaining lives, the crews' hours and what service and failure cost.

    The risk is that of a failure before the service, and of one if it is so many weeks later.
    """
    days, agreed = parse_days(horizon), _terms(terms)
    now = datetime.combine(today, time(), UTC) if today else datetime.now(UTC)
    needs, unknown = with_database(load_settings(), lambda pool: _needs(pool, agreed, now, tenant))
    tell(f"choosing days for {len(needs)} services, which may take a minute")
    made = service_plan.plan(needs, agreed.crews, now.date(), days)
    if as_json:
        print_json(document(made, unknown, now.date(), days, agreed))
        return
    show(made, unknown, days)
    if terms is None:
        out.print("Costs and crews are made up; yours go into a file for --terms (docs/operations.md).")


async def _needs(
    pool: Pool, terms: Terms, now: datetime, tenant: str | None
) -> tuple[list[Need], list[Unknown]]:
    registry = await load_registry(pool)
    if tenant is not None and tenant not in registry.tenants:
        fail(f"no tenant {tenant!r}: there are {', '.join(registry.tenants) or 'none yet'}")
    terms.check({*packs(), *(kind.name for kind in registry.equipment_types)})
    said = await latest_forecasts(pool, tenant, until=now)
    past = Past(await first_health(pool), await last_events(pool, until=now))
    needs, unknown = sort_out(said, registry, past, terms, now)
    assets = [one for one in registry.assets if tenant in {None, one.tenant}]
    return needs, [*unknown, *never_forecast(assets, said)]


def _terms(path: Path | None) -> Terms:
    if path is None:
        return Terms()
    try:
        return parse_terms(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise FleetError(f"{path}: cannot be read: {error}") from error
