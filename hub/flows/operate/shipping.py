"""Shipping by hand: for locations that no 3PL and no carrier connection serves, and when those fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.domain import words
from hub.domain.fulfillment import MoveRefusedError
from hub.domain.lots import LotError
from hub.domain.rejections import OTHER, REASONS, Reason
from hub.flows import refuse
from hub.flows.desk import Desk
from hub.flows.operate.errors import NotDoneError
from hub.flows.operate.orders import at_desk, not_held
from hub.flows.runtime import Runtime
from hub.flows.ship import Parcel, everything, ship
from hub.store import catalog, outbox
from hub.store.orders import FoState, OrderState


def ship_by_hand(
    runtime: Runtime,
    order_id: str,
    fo_number: str,
    *,
    person: str,
    carrier: str = "",
    tracking_number: str = "",
    serials: Mapping[str, Sequence[str]] | None = None,
) -> bool:
    """Book that everything of a fulfillment order left; stock, channel and ERP follow.

    `serials` by SKU of articles that have serial numbers; those that are not said now can be recorded later.
    False when it was shipped or cancelled before. Raises NotDoneError when somebody else may be shipping it, and when
    its time was over: then nothing is booked, and the order is held, since the goods may arrive twice.
    """

    def work(desk: Desk, state: OrderState) -> bool | NotDoneError:
        fo = find_fo(state, fo_number)
        if fo.request_status == "timed_out":
            return _too_late(desk, state, fo, "shipped")
        if not fo.is_live or not fo.live_units:
            return False
        nobody_else(desk, fo)
        not_held(state, fo, "ship")
        known = catalog.variants_by_sku(desk.tx, serials or {})
        numbers = {
            row.id: (serials or {})[sku] for sku, key in known.items() for row in fo.lines if row.variant_id == key
        }
        parcel = Parcel(everything(fo), tracking_number or None, carrier=carrier, serials=numbers)
        try:
            ship(desk, state, fo, [parcel], connection_id=None, external_id=None, shipped_at=desk.now)
        except LotError as error:
            raise NotDoneError(str(error)) from error
        return True

    return _done(at_desk(runtime, order_id, person, work))


def accept_by_hand(runtime: Runtime, order_id: str, fo_number: str, *, person: str) -> bool:
    """Say that a location takes on a fulfillment order; False when it is at work on it already.

    Raises NotDoneError when it was ended, when a hold stops it, or when somebody else may be working on it; and when
    its time was over: then the order is held, since the goods may leave twice.
    """

    def work(desk: Desk, state: OrderState) -> bool | NotDoneError:
        fo = find_fo(state, fo_number)
        if fo.request_status == "accepted":
            return False
        if fo.request_status == "timed_out":
            return _too_late(desk, state, fo, "accepted")
        not_asked_back(desk, fo)
        nobody_else(desk, fo)
        not_held(state, fo, "submit")
        try:
            refuse.accept(desk, state, fo)
        except MoveRefusedError as error:
            raise NotDoneError(str(error)) from error
        return True

    return _done(at_desk(runtime, order_id, person, work))


def _too_late(desk: Desk, state: OrderState, fo: FoState, said: str) -> NotDoneError:
    """A place that was given up on begins after all: hold the order, and tell whoever says so."""
    refuse.answered_late(desk, state, fo, said)
    code = desk.locations[fo.location_id].code
    return NotDoneError(
        f"the time of {code} to answer was over and the units of {fo.number} went elsewhere; the order is held"
        " (late accept), so that nothing leaves twice"
    )


def _done(said: bool | NotDoneError) -> bool:
    """What was done. Raises what has to be told although something was done."""
    if isinstance(said, NotDoneError):
        raise said
    return said


def refuse_by_hand(
    runtime: Runtime,
    order_id: str,
    fo_number: str,
    reason: str,
    *,
    person: str,
    code: str = OTHER.code,
    units: Mapping[str, int] | None = None,
) -> bool:
    """Say that a location cannot ship a fulfillment order: its units go elsewhere, without this location.

    `code` is one of the rejection reasons, which says what becomes of the stock; `reason` is in the person's words.
    `units` by SKU are those that it is said of, by default all: the others are free, and the location may get them
    again. False when it was ended before. Raises NotDoneError when somebody else may be shipping it, and when the
    reason is of articles, of which there are several, and none is named.
    """
    if code not in REASONS:
        raise NotDoneError(f"there is no reason {code!r}; there are: {', '.join(REASONS)}")

    def work(desk: Desk, state: OrderState) -> bool:
        fo = find_fo(state, fo_number)
        if not fo.is_live:
            return False
        named = _named(fo, REASONS[code], units or {})
        nobody_else(desk, fo)
        refuse.refuse(desk, state, fo, REASONS[code], reason, named)
        return True

    return at_desk(runtime, order_id, person, work)


def _named(fo: FoState, reason: Reason, units: Mapping[str, int]) -> dict[str, int]:
    """Units by fulfillment line of what a person names by SKU. Raises NotDoneError."""
    here: dict[str, int] = {}
    for row in fo.lines:
        here[row.sku] = here.get(row.sku, 0) + row.live
    if reason.is_of_articles and not units and len(here) > 1:
        raise NotDoneError(f"say of which of {', '.join(here)}, and of how many units: {reason.says.lower()}")
    for sku, wanted in units.items():
        if not 1 <= wanted <= here.get(sku, 0):
            there = words.units(here[sku]) if sku in here else "none"
            raise NotDoneError(f"{fo.number} has {there} of {sku}, and {wanted} cannot be refused")
    left, named = dict(units), {}
    for row in fo.lines:
        if taken := min(row.live, left.get(row.sku, 0)):
            named[row.id] = taken
            left[row.sku] -= taken
    return named


def find_fo(state: OrderState, fo_number: str) -> FoState:
    found = next((fo for fo in state.fos if fo.number == fo_number), None)
    if found is None:
        raise NotDoneError(f"the order has no fulfillment order {fo_number!r}")
    return found


def not_asked_back(desk: Desk, fo: FoState) -> None:
    """Raises NotDoneError when its place was asked to stop and has not answered."""
    if fo.is_asked_back:
        code = desk.locations[fo.location_id].code
        raise NotDoneError(f"{code} was asked to stop {fo.number}: say that it has stopped, or that it is too late")


def nobody_else(desk: Desk, fo: FoState) -> None:
    """Take the work back from a handler that has not begun; refuse when it may have."""
    if fo.handler_id is None or fo.handling == "manual":
        return
    withdrawn = outbox.withdraw(desk.tx, fo.id, outbox.MAKES_WORK, desk.now)
    if fo.request_status == "unsubmitted" and withdrawn:
        return
    name = desk.connections[fo.handler_id].name
    raise NotDoneError(f"{name} has {fo.number} or may have it: cancel it there first, so that it is not shipped twice")
