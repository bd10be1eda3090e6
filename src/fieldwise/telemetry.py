"""Structured logging: one JSON object per line on stderr, an event word and its facts."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

_LOGGER = logging.getLogger("fieldwise")
_LOGGER.addHandler(logging.NullHandler())


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def configure(level: str = "info") -> None:
    """Send the package's log to stderr; without this call it goes nowhere."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    _LOGGER.handlers[:] = [handler]
    _LOGGER.setLevel(level.upper())
    _LOGGER.propagate = False


def info(event: str, **facts: object) -> None:
    _LOGGER.info(event, extra={"facts": facts})


def warning(event: str, **facts: object) -> None:
    _LOGGER.warning(event, extra={"facts": facts})


def failure(event: str, **facts: object) -> None:
    """An error with the exception being handled, if any."""
    _LOGGER.error(event, exc_info=sys.exc_info()[0] is not None, extra={"facts": facts})
