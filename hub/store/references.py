"""What our things are called elsewhere."""

from __future__ import annotations

from sqlalchemy import select

from hub.store.database import Tx, insert_new
from hub.store.tables import external_ref


def remember(tx: Tx, connection_id: str, kind: str, external_id: str, entity_id: str, number: str = "") -> None:
    """Keep the id and document number that a connection gave to one of our things. Safe to call twice."""
    row = {
        "connection_id": connection_id,
        "kind": kind,
        "external_id": external_id,
        "entity_id": entity_id,
        "number": number,
    }
    insert_new(tx, external_ref, [row], external_ref.c.entity_id)


def external_id(tx: Tx, connection_id: str, kind: str, entity_id: str) -> str | None:
    query = select(external_ref.c.external_id).where(
        external_ref.c.connection_id == connection_id,
        external_ref.c.kind == kind,
        external_ref.c.entity_id == entity_id,
    )
    found: str | None = tx.execute(query.limit(1)).scalar()
    return found


def external_location(tx: Tx, connection_id: str, location_id: str) -> str | None:
    """The connection's own id of one of our locations."""
    return external_id(tx, connection_id, "location", location_id)


def first_location(tx: Tx, connection_id: str) -> str | None:
    """A connection's own id of the first place that is linked."""
    query = (
        select(external_ref.c.external_id)
        .where(external_ref.c.connection_id == connection_id, external_ref.c.kind == "location")
        .order_by(external_ref.c.external_id)
        .limit(1)
    )
    found: str | None = tx.execute(query).scalar()
    return found
