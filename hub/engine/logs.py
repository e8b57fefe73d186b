"""Log lines: for people on a terminal, one JSON object each everywhere else. Secrets are never in them."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import orjson
import structlog

SECRET_WORDS = ("secret", "token", "password", "authorization", "api_key", "apikey", "cookie", "credential")
HIDDEN = "•••"

# Libraries that tell of every step they take; of these only what went wrong is of interest.
QUIET = ("alembic", "apscheduler", "urllib3", "werkzeug")
# When the database is away these show a page of traceback each time they notice; the engine says it in a line.
SILENT = ("procrastinate", "psycopg")


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Set up the log lines of this process, those of libraries too. Safe to call twice.

    Raises ValueError for a level that does not exist.
    """
    out = stream or sys.stderr
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"ORDERHUB_LOG_LEVEL is {level!r}; it may be debug, info, warning or error")
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    ending: list[Any] = (
        # Not the tracebacks with local variables, which hold what customers are called and where they live.
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if out.isatty()
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_json)]
    )
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    for name in SILENT:
        logging.getLogger(name).setLevel(number if number <= logging.DEBUG else logging.CRITICAL)


def hide_secrets(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blot out every value whose name sounds like a secret, at any depth."""
    for name in line:
        line[name] = _hidden(name, line[name])
    return line


def _hidden(name: str, value: Any) -> Any:
    if any(word in name.lower() for word in SECRET_WORDS):
        return HIDDEN
    if isinstance(value, dict):
        return {key: _hidden(str(key), inner) for key, inner in value.items()}
    return value


def _json(line: Any, **_: Any) -> str:
    return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
