"""Oversold: give orders whose units are gone to places that have them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from hub.flows.desk import Desk
from hub.flows.operate.errors import NotDoneError
from hub.flows.operate.orders import at_desk, route_on
from hub.flows.recall import ask_back, release, withdrawn
from hub.flows.runtime import Runtime
from hub.store.orders import OrderState
from hub.store.views import oversold

REASON = "the units are not there"


@dataclass(frozen=True, slots=True)
class Rerouted:
    """What became of fulfillment orders, by number: `moved` are routed anew, `asked` are asked back and routed when the
    place agrees, `gone` had been ended or shipped meanwhile.
    """

    moved: tuple[str, ...]
    asked: tuple[str, ...]
    gone: tuple[str, ...]


def reroute(runtime: Runtime, position_id: str, *, person: str, fo_ids: Collection[str] = ()) -> Rerouted:
    """Take the fulfillment orders that another place can serve away from a position that has oversold.

    `fo_ids` chooses among those at risk; by default all that are proposed for it. Units for which the router finds no
    place wait for stock. Safe to repeat. Raises NotDoneError.
    """
    with runtime.db.read() as tx:
        found = oversold.find(tx, position_id)
    if not found:
        raise NotDoneError("nothing is oversold there any more")
    chosen = [
        one
        for one in found[0].orders
        if (one.fo_id in fo_ids if fo_ids else one.repair and one.repair.kind == "reroute")
    ]
    if not chosen:
        raise NotDoneError("no other place has the units: bring some there, buy some, or cancel the newest orders")
    became: dict[str, list[str]] = {"moved": [], "asked": [], "gone": []}
    for one in chosen:
        became[_take_away(runtime, one.order_id, one.fo_id, person)].append(one.fo_number)
    return Rerouted(*(tuple(became[name]) for name in ("moved", "asked", "gone")))


def _take_away(runtime: Runtime, order_id: str, fo_id: str, person: str) -> str:
    became: list[str] = []

    def work(desk: Desk, state: OrderState) -> bool:
        fo = next((one for one in state.fos if one.id == fo_id), None)
        if fo is None or not fo.is_live or fo.request_status == "cancellation_requested":
            became.append("gone")
            return False
        if withdrawn(desk, fo):
            release(desk, state, fo, REASON)
            route_on(desk, state)
            became.append("moved")
        else:
            ask_back(desk, state, fo, REASON)
            became.append("asked")
        return True

    at_desk(runtime, order_id, person, work)
    return became[-1]
