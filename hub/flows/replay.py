"""Replay: keep all that a decision rests on, and decide again by it, bit for bit."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson

from hub.domain.routing.document import from_document, to_document
from hub.domain.routing.network import Network
from hub.domain.routing.plan import plan
from hub.domain.routing.shapes import Destination, Plan, Ranker, Rules, Snapshot, Strategy
from hub.flows.desk import Desk
from hub.flows.strategies import Advice, with_advice
from hub.store import routing
from hub.store.routing import StoredDecision

_SHARED = ("locations", "rules")  # kept once for many decisions
_BY_ORDER = "capacity_left"  # of a location, and changes with every order: kept beside the order
_ADVICE = "advice"  # an answer from outside, where one was asked for
_NOWHERE = Network(())
_USUAL = Rules()


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
    advice = _advice(decision.inputs)
    again = plan(unpacked(decision.inputs, decision.network), rankers, with_advice(strategies, advice))
    said = (again.strategy, again.inputs_hash, orjson.loads(orjson.dumps(dict(again.trace))))
    return Replayed(again, said == (decision.strategy, decision.inputs_hash, dict(decision.trace)))


def keep_network(desk: Desk, snapshot: Snapshot) -> str:
    """Keep the network and the rules of a snapshot, once for all decisions made with them; its fingerprint."""
    key = (id(snapshot.places), snapshot.rules)
    known = desk.view.kept.get(key)
    if known is None:
        bare = Snapshot((), Destination(), snapshot.places, {}, rules=snapshot.rules)
        document = {name: said for name, said in to_document(bare).items() if name in _SHARED}
        for place in document["locations"]:
            place.pop(_BY_ORDER, None)
        digest = hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
        # The places are kept too: while they live, nothing else can have their id.
        known = desk.view.kept[key] = (digest, snapshot.places)
        routing.keep_network(desk.tx, digest, document, desk.now)
    return known[0]


def packed(snapshot: Snapshot, advice: Advice | None = None) -> bytes:
    """All that a snapshot says beside its network and rules, and what was said of it outside."""
    said = to_document(replace(snapshot, places=_NOWHERE, rules=_USUAL))
    left = {one.id: one.capacity_left for one in snapshot.places if one.capacity_left is not None}
    document = {name: value for name, value in said.items() if name not in _SHARED} | {_BY_ORDER: left}
    if advice is not None:
        document[_ADVICE] = asdict(advice)
    return zlib.compress(orjson.dumps(document), 1)


def unpacked(inputs: bytes, network: Mapping[str, Any]) -> Snapshot:
    """The snapshot as it was."""
    return from_document(input_document(inputs, network))


def _advice(inputs: bytes) -> Advice | None:
    said = orjson.loads(zlib.decompress(inputs)).get(_ADVICE)
    return None if said is None else Advice(**said)


def input_document(inputs: bytes, network: Mapping[str, Any]) -> dict[str, Any]:
    """The router's whole input as it was, as a document of `routing-input.v1.json`."""
    said = orjson.loads(zlib.decompress(inputs))
    said.pop(_ADVICE, None)
    left = said.pop(_BY_ORDER)
    places = []
    for place in network["locations"]:
        known = left.get(place.get("id", place["code"]))
        places.append(place if known is None else {**place, _BY_ORDER: known})
    return {**said, "locations": places, "rules": network["rules"]}
