"""Replay: keep all that a decision rests on, and decide again by it, bit for bit."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

import orjson

from hub import schemas
from hub.domain.routing.network import Network
from hub.domain.routing.plan import plan
from hub.domain.routing.shapes import Destination, Need, Place, Plan, Ranker, Rules, Snapshot, Strategy
from hub.flows.desk import Desk
from hub.store import routing
from hub.store.routing import StoredDecision

# What changes with every order is kept beside the order, so that the network is the same for many.
_BY_ORDER = ("capacity_left",)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the router says today of the inputs of then; `same` is whether nothing of it differs."""

    plan: Plan
    same: bool


def replay(
    decision: StoredDecision, rankers: Mapping[str, Ranker], strategies: Mapping[str, Strategy]
) -> Replayed | None:
    """Decide again by the inputs of then; None for a decision whose inputs were not kept."""
    if decision.inputs is None or decision.network is None:
        return None
    again = plan(unpacked(decision.inputs, decision.network), rankers, strategies)
    said = (again.strategy, again.inputs_hash, orjson.loads(orjson.dumps(dict(again.trace))))
    return Replayed(again, said == (decision.strategy, decision.inputs_hash, dict(decision.trace)))


def keep_network(desk: Desk, snapshot: Snapshot) -> str:
    """Keep the network and the rules of a snapshot, once for all decisions made with them; its fingerprint."""
    key = (id(snapshot.places), id(snapshot.rules))
    known = desk.view.kept.get(key)
    if known is None:
        places = [{name: said for name, said in _said(one).items() if name not in _BY_ORDER} for one in snapshot.places]
        document = {"places": places, "rules": _plain(snapshot.rules)}
        digest = hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
        # The objects are kept too: while they live, nothing else can have their ids.
        known = desk.view.kept[key] = (digest, snapshot.places, snapshot.rules)
        routing.keep_network(desk.tx, digest, document, desk.now)
    return known[0]


def packed(snapshot: Snapshot) -> bytes:
    """All that a snapshot says beside its network and rules."""
    variants = {need.variant_id for need in snapshot.needs}
    document = {
        "needs": [_said(need) for need in snapshot.needs],
        "destination": _said(snapshot.destination),
        "sellable": [[*key, units] for key, units in snapshot.sellable.items()],
        "excluded": sorted(snapshot.excluded),
        "method": snapshot.method,
        "channel": snapshot.channel,
        "promise": snapshot.promise,
        "demand": [[*key, units] for key, units in snapshot.weekly_demand_milli.items() if key[1] in variants],
        "capacity": {one.id: one.capacity_left for one in snapshot.places if one.capacity_left is not None},
    }
    return zlib.compress(orjson.dumps(document), 1)


def unpacked(inputs: bytes, network: Mapping[str, Any]) -> Snapshot:
    """The snapshot that was kept."""
    said = orjson.loads(zlib.decompress(inputs))
    places = (schemas.structure(Place, one) for one in network["places"])
    return Snapshot(
        tuple(schemas.structure(Need, one) for one in said["needs"]),
        schemas.structure(Destination, said["destination"]),
        Network(replace(one, capacity_left=said["capacity"].get(one.id)) for one in places),
        {(one[0], one[1]): one[2] for one in said["sellable"]},
        frozenset((one[0], one[1]) for one in said["excluded"]),
        schemas.structure(Rules, network["rules"]),
        said["method"],
        said["channel"],
        date.fromisoformat(said["promise"]) if said["promise"] else None,
        {(one[0], one[1]): one[2] for one in said["demand"]},
    )


def _said(value: Any) -> dict[str, Any]:
    """A value's fields that are not as they would be anyway."""
    return {
        one.name: _plain(getattr(value, one.name)) for one in fields(value) if getattr(value, one.name) != one.default
    }


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return dict(value)
    return _said(value) if hasattr(value, "__dataclass_fields__") else value
