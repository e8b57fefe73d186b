"""What machines that watch the hub ask: is it well (`/healthz`), and how is it doing (`/metrics`)."""

from __future__ import annotations

import time

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy.exc import SQLAlchemyError

import hub
from hub.store import migrate
from hub.store.figures import Figures, Health, figures
from hub.store.migrate import SchemaError
from hub.web.context import console

blueprint = Blueprint("health", __name__)

KEPT_S = 5.0


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 when the database answers and has the schema this version needs; 503 names what is wrong.

    `database` tells a web process that comes to the same port whether this one works on its database.
    """
    db = console().runtime.db
    try:
        migrate.require_current(db)
        mark = db.mark()
    except SchemaError as error:
        return _unwell("schema", str(error))
    except SQLAlchemyError:
        return _unwell("database", "the database does not answer")
    return console().json({"status": "ok", "version": hub.__version__, "schema": migrate.head(), "database": mark})


def _unwell(part: str, words: str) -> Response:
    return console().json({"status": "unwell", "part": part, "message": words, "version": hub.__version__}, 503)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Figures for Prometheus, at most five seconds old."""
    try:
        text = console().remembered("metrics", KEPT_S, time.monotonic, _metrics)
    except SQLAlchemyError:
        return _unwell("database", "the database does not answer")
    return Response(text, content_type=CONTENT_TYPE_LATEST)


def current_figures() -> Figures:
    runtime = console().runtime
    with runtime.db.read() as tx:
        return figures(tx, runtime.clock())


def _metrics() -> bytes:
    found, registry = current_figures(), CollectorRegistry()

    def gauge(name: str, words: str, values: dict[str, float], label: str) -> None:
        one = Gauge(f"orderhub_{name}", words, [label], registry=registry)
        for key, value in values.items():
            one.labels(key).set(value)

    def single(name: str, words: str, value: float) -> None:
        Gauge(f"orderhub_{name}", words, registry=registry).set(value)

    gauge("inbox_rows", "Arrivals by status.", dict(found.inbox), "status")
    gauge("outbox_rows", "Deliveries by status.", dict(found.outbox), "status")
    gauge("orders", "Orders by lifecycle.", dict(found.orders), "lifecycle")
    gauge("holds", "Active holds by kind.", dict(found.holds), "kind")
    single("inbox_oldest_waiting_seconds", "Age of the oldest arrival that waits.", found.inbox_oldest_s)
    single("outbox_oldest_waiting_seconds", "Age of the oldest delivery that has not ended.", found.outbox_oldest_s)
    single("problems", "Rows that wait for a person.", found.problems)
    put_off = console().webhooks.put_off
    single("webhooks_put_off", "Webhooks that this process told to come back, as too many came at once.", put_off)
    for name, words, read in _OF_CONNECTION:
        values = {one.name: value for one in found.connections if (value := read(one)) is not None}
        gauge(f"connection_{name}", words, values, "connection")
    return generate_latest(registry)


def _active(one: Health) -> float:
    return float(one.status == "active")


_OF_CONNECTION = (
    ("active", "1 when the connection works, 0 when it is paused or needs a person.", _active),
    ("breaker_open", "1 while the breaker lets nothing out.", lambda one: float(one.breaker_open)),
    ("failures", "Calls that failed in a row.", lambda one: float(one.failures)),
    ("publish_waiting", "Listings whose channel does not know the newest figure.", lambda one: one.publish_waiting),
    ("publish_lag_seconds", "Time since the longest waiting listing was last told.", lambda one: one.publish_lag_s),
    ("webhooks", "Webhook deliveries kept.", lambda one: float(one.webhooks)),
    ("webhook_duplicates", "Webhook deliveries of a fact known before.", lambda one: float(one.duplicates)),
    (
        "webhooks_rejected",
        "Webhook deliveries with a wrong signature, of the last thousand.",
        lambda one: float(one.rejected),
    ),
    ("found_by_sweep", "Records that only the poll brought.", lambda one: float(one.found_by_sweep)),
    ("synced_age_seconds", "Time up to which the stream furthest behind is read.", lambda one: one.synced_age_s),
)
