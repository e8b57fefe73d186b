"""How pages say things: amounts, moments, statuses. Installed as Jinja filters."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

from flask import Flask
from markupsafe import Markup, escape

from hub.domain.money import exponent
from hub.web.context import console

GOOD, BUSY, WAIT, BAD, OFF = "good", "busy", "wait", "bad", "off"
# A status is told by its word and by a shape; the colour only helps. ● done, ◐ under way, ◆ waits, ▲ wrong, ○ off.
SHAPES = {GOOD: "●", BUSY: "◐", WAIT: "◆", BAD: "▲", OFF: "○"}
COLOURS = {GOOD: "green", BUSY: "blue", WAIT: "yellow", BAD: "red", OFF: "secondary"}
_WORDS = {
    GOOD: """
        completed delivered in_transit shipped active on_time paid done applied fulfilled closed accepted handed_over
        labelled available_for_pickup out_for_delivery
    """,
    BUSY: """
        open in_progress submitted received sending routed in_fulfilment authorized partial ready amending rated
        manifested unsubmitted partially_received assigned counting
    """,
    WAIT: """
        pending on_hold unfillable backordered retry_wait held held_back paused scheduled late label_pending superseded
        cancellation_requested attempted stale partially_refunded partially_paid waiting unfulfilled
        review recount closed_short set_aside
    """,
    BAD: """
        dead rejected unknown needs_sign_in misconfigured unavailable exception lost unpaid label_failed in_doubt
        incomplete timed_out cancellation_rejected broken returned_to_sender returning fulfilment_failed error unlinked
        voided
    """,
}
TONES = {word: tone for tone, words in _WORDS.items() for word in words.split()}
NONE = "\N{EN DASH}"


def money(minor: int | None, currency: str | None) -> str:
    """An amount as a person reads it: 1234567 EUR is "12,345.67 EUR"."""
    if minor is None or not currency:
        return NONE
    try:
        places = exponent(currency)
    except ValueError:
        return f"{minor} {currency} (minor units)"
    whole, rest = divmod(abs(minor), 10**places)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole:,}" + (f".{rest:0{places}d}" if places else "") + f" {currency}"


def moment(at: datetime | str | None) -> str:
    """A moment with its zone, to the minute."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else "never"


def when(at: datetime | None) -> Markup:
    """How long ago (or how soon), with the exact moment for those who point at it or listen to it."""
    if at is None:
        return Markup("never")
    exact = f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(), exact, ago(at))


def soon(at: datetime | None) -> Markup | str:
    """When something is due: "now" once its time has come."""
    return "now" if at is not None and at <= console().runtime.clock() else when(at)


def ago(at: datetime) -> str:
    seconds = (console().runtime.clock() - at).total_seconds()
    span = abs(seconds)
    for size, name in ((86400 * 2, "days"), (3600 * 2, "hours"), (60 * 2, "minutes")):
        if span >= size:
            unit = {"days": 86400, "hours": 3600, "minutes": 60}[name]
            text = f"{int(span // unit)} {name}"
            break
    else:
        text = f"{int(span)} seconds" if span >= 2 else "a moment"
    return f"{text} ago" if seconds >= 0 else f"in {text}"


def day(value: date | str | None) -> str:
    return str(value) if value else NONE


def plain(word: str | None) -> str:
    """A code as words: "needs_sign_in" is "Needs sign in"."""
    text = (word or "").replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def tone(word: str | None) -> str:
    return TONES.get((word or "").replace(" ", "_").replace("-", "_"), OFF)


def status(word: str | None, text: str | None = None) -> Markup:
    """A status: a shape for the eye, the word for everybody."""
    kind = tone(word)
    return Markup('<span class="status-word is-{}"><span class="shape" aria-hidden="true">{}</span>{}</span>').format(
        kind, SHAPES[kind], text or plain(word)
    )


def pretty(value: Any) -> str:
    """JSON as a person reads it; what is not JSON as it is."""
    if isinstance(value, bytes):
        text = value.decode("utf-8", "replace")
        try:
            value = json.loads(text)
        except ValueError:
            return text
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def breakable(text: str | None) -> Markup:
    """Long codes may break after their separators."""
    shown = str(escape(text or ""))
    for mark in ("_", "-", "/", "."):
        shown = shown.replace(mark, mark + "<wbr>")
    return Markup(shown)  # noqa: S704 - escaped above; only <wbr> is added


def install(app: Flask) -> None:
    for filter_ in (money, moment, when, soon, day, plain, status, pretty, breakable, tone):
        app.jinja_env.filters[filter_.__name__] = filter_
