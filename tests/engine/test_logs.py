"""Log lines are JSON objects where no person watches, and hold no secrets."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from hub.engine import logs


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("info", stream)
    yield stream
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def read(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_each_line_is_one_json_object_with_time_and_level(lines: io.StringIO):
    structlog.get_logger().info("order.entered", order="#1001", units=2)
    logging.getLogger("some.library").warning("it said %s", "this")
    ours, theirs = read(lines)
    assert (ours["event"], ours["level"], ours["order"], ours["units"]) == ("order.entered", "info", "#1001", 2)
    assert (theirs["event"], theirs["level"]) == ("it said this", "warning")
    assert ours["timestamp"].endswith("Z")


def test_values_named_like_secrets_are_blotted_out_at_any_depth(lines: io.StringIO):
    structlog.get_logger().info(
        "connected", access_token="shpat-1", config={"shop": "demo", "webhook_secret": "whsec-1"}, Authorization="Basic"
    )
    assert "shpat-1" not in lines.getvalue()
    assert "whsec-1" not in lines.getvalue()
    assert "Basic" not in lines.getvalue()
    assert read(lines)[0]["config"]["shop"] == "demo"


def test_less_important_lines_are_left_out(lines: io.StringIO):
    structlog.get_logger().debug("small")
    logging.getLogger("urllib3").info("small too")
    assert lines.getvalue() == ""


def test_a_traceback_stays_on_its_line(lines: io.StringIO):
    try:
        int("broken")
    except ValueError:
        structlog.get_logger().exception("engine.step_failed", door="inbox:1")
    [line] = read(lines)
    assert "ValueError: invalid literal" in line["exception"]


def test_an_unknown_level_is_refused_with_the_setting_named():
    with pytest.raises(ValueError, match="ORDERHUB_LOG_LEVEL is 'loud'"):
        logs.configure("loud")
