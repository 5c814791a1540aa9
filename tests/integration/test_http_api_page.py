"""The examples of docs/http-api.md are what the API answers."""

import json
import re
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from console.settings import load_settings
from fleet.clock import microseconds
from fleet.finding import read_finding
from fleet.vertical import VerticalPack
from storage.bootstrap import WRITER
from storage.chunk_result import EpisodeRow, ForecastRow
from storage.server.database import Database
from storage.sink import Sink
from tests.integration.storage_harness import chunk
from tests.integration.test_spine_bad_input import LIFT, client, running

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "http-api.md").read_text(encoding="utf-8")
POST, POSTED, ASSETS, EPISODES, FORECASTS, HEALTH = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


def us(text: str) -> int:
    return microseconds(datetime.fromisoformat(text))


def episode(said: dict[str, Any]) -> EpisodeRow:
    onset, peak = us(said["onset"]), us(said["peak"])
    evidence, score = said["evidence"], said["peak_score"]
    return EpisodeRow(
        UUID(said["episode_id"]), 1, said["kind"], said["detector"], onset, None, peak, score, evidence
    )


def forecast(said: dict[str, Any]) -> ForecastRow:
    hours = said["p10_h"], said["p50_h"], said["p90_h"]
    words = said["target"], said["forecaster"], said["verdict"]
    return ForecastRow(1, us(said["ts"]), *words, *hours, said["basis"])


async def test_the_examples_are_what_is_answered(plain_database: Database, tmp_path: Path) -> None:
    settings = load_settings(database=plain_database.dsn(WRITER), data_dir=tmp_path, partitions=1)
    async with running(settings, "lift-1") as (wired, _), client(wired, ["ingest", "read"]) as http:
        answer = await http.post("/v1/telemetry", content=POST, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()) == (207, json.loads(POSTED))
        rows = {
            "episodes": [episode(one) for one in json.loads(EPISODES)],
            "forecasts": [forecast(one) for one in json.loads(FORECASTS)],
        }
        sink = Sink(wired.pool, "examples")
        await sink.write(await sink.claim("telemetry.acme", 0), chunk(0, 1, **rows))
        for route, example in [("assets", ASSETS), ("episodes", EPISODES), ("forecasts", FORECASTS)]:
            assert (await http.get(f"/v1/{route}")).json() == json.loads(example), route
        ahead = (await http.get("/v1/assets/lift-1/ahead/current?hours=24")).json()
        assert (ahead["verdict"], ahead["hours"]) == ("too_little_data", [])
        assert (await http.get("/v1/assets/lift-9/ahead/current")).status_code == 404
        assert (await http.get("/v1/assets/lift-1/ahead/current?hours=169")).status_code == 422
        assert (await http.get("/health")).json() == json.loads(HEALTH)
        paths = (await http.get("/openapi.json")).json()["paths"]
        routes = [f"`{method.upper()} {path}`" for path, methods in paths.items() for method in methods]
        assert [route for route in routes if route not in PAGE] == []


def test_the_evidence_is_what_an_episode_says() -> None:
    shares, expected, actual = (np.array(pair) for pair in ([0.97, 0.03], [4.5, 1.5], [7.5, 1.5]))
    finding = read_finding(VerticalPack(LIFT), shares, expected, actual)
    (said,) = json.loads(EPISODES)
    assert said["evidence"] == json.loads(json.dumps(asdict(finding)))
