"""Structured logs on stderr: text for a terminal, JSON for everything else; secrets masked."""

import logging
import re
import sys
import time
from collections.abc import Callable
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from console.settings import Settings

SECRET = re.compile(
    r"(?i)\b(\w*password|secret|token|authorization)(['\"]?\s*[=:]\s*)('[^']*'|\"[^\"]*\"|\S+)|\bflt_\w+"
)
IN_URI = re.compile(r"(://[^\s:/@]*:)[^\s'\"]*(?=@)")
"""The password of `scheme://user:password@host`, up to the last @: one that nobody escaped goes too."""


CLIENTS = ("aiokafka", "psycopg")
"""Loggers of clients that complain at each attempt while their server is away."""

REPEAT_S = 60.0
NUMBER = re.compile(r"\d+")


def configure_logs(settings: Settings) -> None:
    """Send structlog's and the standard library's records (Faust, aiokafka, uvicorn) one way."""
    repeats = Repeats()
    text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(lambda record: not record.name.startswith(CLIENTS) or repeats.filter(record))
    renderer: Processor = structlog.dev.ConsoleRenderer() if text else structlog.processors.JSONRenderer()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for chatty in ("faust", "mode", "streams.transports", "aiokafka", "uvicorn", "kafka", "asyncio"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


class Repeats(logging.Filter):
    """Lets a message through once a minute: while a server is away its client complains at every attempt.

    Messages that differ in numbers alone count as the same; the next that gets through says how many did not.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._told: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to tell."""
        key, now = (record.name, NUMBER.sub("#", record.getMessage())), self._clock()
        told_at, held_back = self._told.get(key, (float("-inf"), 0))
        if now - told_at < REPEAT_S:
            self._told[key] = told_at, held_back + 1
            return False
        self._told = {one: told for one, told in self._told.items() if now - told[0] < REPEAT_S}
        self._told[key] = now, 0
        if held_back:
            record.msg, record.args = f"{record.getMessage()} (and {held_back} more like this)", ()
        return True


def mask_secrets(_: Any, __: str, event: EventDict) -> EventDict:
    """Replace what looks like a password, a token or one of our keys, in every text of the record."""
    return {key: _masked(value) if isinstance(value, str) else value for key, value in event.items()}


def _masked(text: str) -> str:
    text = IN_URI.sub(r"\1****", text)
    return SECRET.sub(lambda found: f"{found[1]}{found[2]}****" if found[1] else "****", text)
