"""The HTTP API: telemetry in, and what was found out.

Every route under /v1 names the scope that it wants of `Authorization: Bearer <key>`; a key belongs to one
tenant and sees nothing else.
"""

from typing import Annotated, Any

from aiokafka.errors import KafkaError
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from console import views
from console.advice import DAYS
from console.api_parts import ApiParts
from console.ingest import ingest, read_body
from console.mapped_ingest import ingest_mapped
from console.mapped_view import quarantined
from console.waveform_ingest import ingest_waveforms
from fleet.asset import FleetError
from forecasting.channel_forecast import WEEK
from storage.apikeys import Principal, verify
from streams import metrics
from streams.errors import PartitionStopped
from streams.retry import OUTAGE


def _parts(request: Request) -> ApiParts:
    parts: ApiParts = request.app.state.parts
    return parts


Parts = Annotated[ApiParts, Depends(_parts)]


def may(scope: str) -> Any:
    """A dependency: the key's principal, who must have the scope."""

    async def principal(parts: Parts, authorization: Annotated[str, Header()] = "") -> Principal:
        scheme, _, key = authorization.partition(" ")
        found = await verify(parts.pool, key) if scheme.lower() == "bearer" and key else None
        if found is None:
            raise HTTPException(401, "say who you are: Authorization: Bearer <key> (faultline assets key)")
        found.require(scope)
        return found

    return Depends(principal)


Ingester = Annotated[Principal, may("ingest")]
Reader = Annotated[Principal, may("read")]

tenants = APIRouter(prefix="/v1")
operators = APIRouter()


@tenants.post("/telemetry")
async def post_telemetry(
    parts: Parts,
    who: Ingester,
    request: Request,
    format_name: Annotated[str | None, Query(alias="format", description="a field format")] = None,
) -> JSONResponse:
    """Take in one message or an array of them; the answer comes when what was accepted is durable."""
    if format_name is None:
        return await ingest(parts, who.tenant, request)
    return await ingest_mapped(parts, who.tenant, format_name, await read_body(request))


@tenants.post("/waveforms")
async def post_waveforms(parts: Parts, who: Ingester, request: Request) -> JSONResponse:
    """Take in a row with blocks of vibration samples, which become values of it."""
    return await ingest_waveforms(parts, who.tenant, await read_body(request))


@tenants.get("/quarantine")
async def get_quarantine(parts: Parts, who: Reader) -> dict[str, Any]:
    """What could not be used of the tenant's field formats and waveforms since this process started."""
    return quarantined(parts.mappings.of(who.tenant))


@tenants.get("/assets")
async def get_assets(parts: Parts, who: Reader) -> list[dict[str, Any]]:
    """The tenant's machines with their newest values, score and health."""
    return await views.assets(parts.pool, parts.registry, who.tenant)


@tenants.get("/episodes")
async def get_episodes(
    parts: Parts, who: Reader, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> list[dict[str, Any]]:
    """The tenant's newest episodes with evidence."""
    return await views.episodes(parts.pool, who.tenant, limit)


@tenants.get("/forecasts")
async def get_forecasts(parts: Parts, who: Reader) -> list[dict[str, Any]]:
    """The newest forecast of what runs out on each machine."""
    return await views.forecasts(parts.pool, who.tenant)


@tenants.get("/assets/{asset}/ahead/{channel}")
async def get_ahead(
    parts: Parts, who: Reader, asset: str, channel: str, hours: Annotated[int, Query(ge=1, le=WEEK)] = WEEK
) -> dict[str, Any]:
    """The next hours of one of a machine's channels, with intervals."""
    try:
        return await views.ahead(parts.pool, parts.registry, f"{who.tenant}/{asset}", channel, hours)
    except FleetError as error:
        raise HTTPException(404, str(error)) from None


@tenants.get("/advice")
async def get_advice(
    parts: Parts, who: Reader, days: Annotated[int, Query(ge=1, le=366)] = DAYS
) -> list[dict[str, Any]]:
    """What machines could save, and whether earlier advice came true."""
    return await views.advice(parts.pool, parts.registry, who.tenant, days)


@operators.get("/health")
async def get_health(parts: Parts) -> JSONResponse:
    """200 while all works; 503 with what does not."""
    problems = parts.problems()
    return JSONResponse({"status": "fail" if problems else "pass", **problems}, 503 if problems else 200)


@operators.get("/metrics")
async def get_metrics() -> Response:
    """Prometheus metrics of this process."""
    return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)


async def _forbidden(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 403)


async def _away(_: Request, __: Exception) -> JSONResponse:
    detail = "the log or the database is away; nothing was lost, send it again"
    return JSONResponse({"detail": detail}, 503, headers={"Retry-After": "5"})


async def _stopped(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 503, headers={"Retry-After": "60"})


def build_api(parts: ApiParts) -> FastAPI:
    """The application."""
    api = FastAPI(title="Faultline", version="1", docs_url=None, redoc_url=None)
    api.state.parts = parts
    api.include_router(tenants)
    api.include_router(operators)
    for outage in (*OUTAGE, KafkaError, TimeoutError):
        api.add_exception_handler(outage, _away)
    api.add_exception_handler(PermissionError, _forbidden)
    api.add_exception_handler(PartitionStopped, _stopped)
    return api
