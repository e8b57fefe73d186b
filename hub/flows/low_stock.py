"""Low stock: raise and end the alerts of positions that run low."""

from __future__ import annotations

from hub.domain.alerts import alert_of
from hub.flows.runtime import Runtime
from hub.store import alerts
from hub.store.alerts import Watched
from hub.store.locks import alone


def look_at_stock(runtime: Runtime) -> int:
    """Bring the alerts up to date; returns how many were raised, changed or ended. Safe to call twice."""
    with alone(runtime.db, "stock alerts"), runtime.db.begin() as tx:
        fresh, other, over = list[tuple[Watched, str]](), list[tuple[Watched, str]](), list[Watched]()
        for one in alerts.watched(tx):
            kind = alert_of(one.available, one.threshold, is_open=one.alert_id is not None)
            if kind is None and one.alert_id is not None:
                over.append(one)
            elif kind is not None and one.alert_id is None:
                fresh.append((one, kind))
            elif kind is not None and (one.kind, one.units) != (kind, one.available):
                other.append((one, kind))
        alerts.raise_all(tx, fresh, runtime.clock())
        alerts.change_all(tx, other)
        alerts.clear_all(tx, over, runtime.clock())
    return len(fresh) + len(other) + len(over)
