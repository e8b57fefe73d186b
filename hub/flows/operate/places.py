"""An account's own places, and which of our locations they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.flows.operate import feeds
from hub.flows.operate.errors import NotDoneError, actor
from hub.flows.operate.reach import connector_of, find
from hub.flows.runtime import Runtime
from hub.sdk import LocationSource, Place, errors
from hub.store import catalog, events


@dataclass(frozen=True, slots=True)
class OfferedPlace:
    """A place of the connection; `location` is the code of ours that it is linked to, None while it is not."""

    external_id: str
    name: str
    active: bool
    location: str | None


def places(runtime: Runtime, key: str) -> tuple[OfferedPlace, ...]:
    """The account's own places and which of our locations they are. Raises NotDoneError when they cannot be read."""
    row = find(runtime, key)
    connector = connector_of(runtime, row)
    if not isinstance(connector, LocationSource):
        return ()
    try:
        found = connector.places()
    except errors.ConnectorError as error:
        raise NotDoneError(f"the places of {row.name} cannot be read: {error}") from error
    return _offered(runtime, row.id, found)


def link_places(runtime: Runtime, key: str, link: Mapping[str, str], *, person: str) -> tuple[OfferedPlace, ...]:
    """Say which location (by code) each place of the account is; returns all its places. Safe to repeat."""
    row = find(runtime, key)
    now = runtime.clock()
    with runtime.db.begin() as tx:
        for external_id, code in link.items():
            try:
                location = catalog.location_by_code(tx, code)
            except KeyError as error:
                raise NotDoneError(f"there is no location {code!r}") from error
            catalog.relink_location(tx, row.id, external_id, location.id)
            said = f"{external_id} is our location {code}."
            events.tell(tx, ("connection", row.id), "linked", actor(person), said, now)
        doors = feeds.read_again(runtime, tx, row.id) if link else set()
    runtime.wake_all(doors)
    return places(runtime, row.id)


def _offered(runtime: Runtime, connection_id: str, found: Sequence[Place]) -> tuple[OfferedPlace, ...]:
    with runtime.db.read() as tx:
        codes = {one.id: one.code for one in catalog.locations(tx)}
        links = {place: codes.get(ours) for owner, place, ours in catalog.location_links(tx) if owner == connection_id}
    return tuple(OfferedPlace(one.external_id, one.name, one.active, links.get(one.external_id)) for one in found)
