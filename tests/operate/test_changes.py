"""Changes of orders: looked at, confirmed, refused, and told apart from what the channel says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from hub.domain.changes import AddLine, CancelOrder, SetMethod, SetQuantity, ShipTo
from hub.flows import operate
from hub.flows.desk import Desk as FlowsDesk
from hub.flows.operate import NotDoneError
from hub.flows.operate import waiting as waiting_operate
from hub.flows.operate.changes import Asked
from hub.flows.operate.orders import at_desk
from hub.flows.ship import Parcel, everything, ship
from hub.store import changes as change_store
from hub.store.orders import OrderState
from hub.store.tables import (
    entity_event,
    fulfillment_order,
    hold,
    order_change,
    order_line,
    orders,
    outbox,
    reservation,
    stock_move,
)
from tests.operate.conftest import PERSON, Desk

TRENTON = {"name": "Ada Example", "line1": "9 Other Road", "city": "Trenton", "region": "NJ", "postal_code": "08601",
           "country": "US"}  # fmt: skip


def rows(desk: Desk, query: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in desk.world.read(lambda tx: tx.execute(query).all())]


def counters(desk: Desk, order_id: str) -> dict[str, tuple[int, int, int, int]]:
    """(ordered, cancelled, routed, shipped) by SKU."""
    line = order_line.c
    query = select(line.sku, line.ordered, line.cancelled, line.routed, line.shipped).where(line.order_id == order_id)
    return {row[0]: row[1:] for row in rows(desk, query.order_by(line.line_no))}


def work(desk: Desk, order_id: str) -> list[tuple[str, str]]:
    fo = fulfillment_order.c
    return rows(desk, select(fo.exec_status, fo.request_status).where(fo.order_id == order_id).order_by(fo.id))


def column(desk: Desk, order_id: str, name: str) -> Any:
    return desk.ask(select(orders.c[name]).where(orders.c.id == order_id))[0]


def external(desk: Desk, order_id: str, sku: str) -> str:
    [found] = desk.ask(
        select(order_line.c.external_id).where(order_line.c.order_id == order_id, order_line.c.sku == sku)
    )
    return str(found)


def ask(desk: Desk, order_id: str, *asks: Any, **more: Any) -> Asked:
    return operate.change_order(desk.runtime, order_id, asks, person=PERSON, **more)


def change(desk: Desk, order_id: str, *asks: Any, reason: str = "they called") -> None:
    """Ask and confirm."""
    asked = ask(desk, order_id, *asks, reason=reason)
    assert operate.confirm_change(desk.runtime, asked.id, person=PERSON)
    desk.world.run()


def status(desk: Desk, change_id: str) -> str:
    return str(desk.ask(select(order_change.c.status).where(order_change.c.id == change_id))[0])


def at_3pl(desk: Desk, sku: str, units: int = 9) -> None:
    operate.adjust_stock(desk.runtime, sku, "EAST", set_to=units, reason="count", person=PERSON)


def buy(desk: Desk, *lines: tuple[str, int], **more: Any) -> tuple[Any, str]:
    made = desk.shop.place_order(list(lines), **more)
    desk.send("orders/create", made)
    return made, desk.newest()


# Looking first -----------------------------------------------------------------------------------------------------


def test_a_preview_says_what_would_happen_and_does_nothing(desk: Desk) -> None:
    _, order_id = buy(desk, ("MUG", 3), ("TEE", 1))
    before = counters(desk, order_id)
    seen = operate.preview_change(
        desk.runtime, order_id, [SetQuantity(external(desk, order_id, "MUG"), 1), ShipTo(TRENTON)]
    )
    assert [(one.name, one.before, one.after, one.before_minor, one.after_minor) for one in seen.lines] == [
        ("MUG", 3, 1, 3000, 1000)
    ]
    assert (seen.money.delta_minor, seen.money.refund_minor) == (-2000, 2000)
    assert [(one.location, one.what, one.units) for one in seen.recalls] == [("WEST", "withdrawn", 4)]
    assert seen.refused == ()
    assert "goes on saying: 3 x MUG, the former address" in seen.notes[0]
    assert counters(desk, order_id) == before
    assert desk.ask(select(order_change.c.id)) == []


def test_what_the_3pl_has_is_to_be_asked_back_and_the_preview_says_so(desk: Desk) -> None:
    at_3pl(desk, "MUG")
    _, order_id = buy(desk, ("MUG", 3))
    seen = operate.preview_change(desk.runtime, order_id, [SetQuantity(external(desk, order_id, "MUG"), 2)])
    assert [(one.location, one.what, one.units) for one in seen.recalls] == [("EAST", "asked_back", 3)]


def live(desk: Desk, order_id: str) -> dict[str, str]:
    """Request status by number of the work that is not over."""
    fo = fulfillment_order.c
    query = select(fo.number, fo.request_status).where(fo.order_id == order_id, fo.exec_status != "cancelled")
    return dict(rows(desk, query))


def test_a_preview_reckons_with_what_is_being_called_back_already(desk: Desk) -> None:
    at_3pl(desk, "MUG", 2)
    operate.adjust_stock(desk.runtime, "MUG", "WEST", set_to=2, reason="count", person=PERSON)
    _, order_id = buy(desk, ("MUG", 4))
    by_hand = select(fulfillment_order.c.number).where(fulfillment_order.c.handling == "manual")
    operate.accept_by_hand(desk.runtime, order_id, desk.ask(by_hand)[0], person=PERSON)
    operate.pause(desk.runtime, "3PL", person=PERSON)
    mug = external(desk, order_id, "MUG")
    for quantity, called_back in ((3, 1), (2, 1), (3, 1), (1, 2), (2, 2)):
        seen = operate.preview_change(desk.runtime, order_id, [SetQuantity(mug, quantity)])
        before = live(desk, order_id)
        change(desk, order_id, SetQuantity(mug, quantity))
        after = live(desk, order_id)
        assert {one.number for one in seen.recalls} == {one for one in after if after[one] != before[one]}
        assert list(after.values()).count("cancellation_requested") == called_back


def test_a_preview_says_that_a_place_which_has_not_answered_yet_just_gives_it_back(desk: Desk) -> None:
    operate.change_location(desk.runtime, "WEST", {"answer_within_min": 60}, person=PERSON)
    _, order_id = buy(desk, ("MUG", 3))
    assert list(live(desk, order_id).values()) == ["submitted"]
    less = [SetQuantity(external(desk, order_id, "MUG"), 2)]
    seen = operate.preview_change(desk.runtime, order_id, less)
    assert [one.what for one in seen.recalls] == ["withdrawn"]
    change(desk, order_id, *less)
    assert work(desk, order_id)[0] == ("cancelled", "submitted")


def test_units_that_have_left_are_refused_with_the_reason(desk: Desk) -> None:
    _, order_id = buy(desk, ("MUG", 3))
    [number] = desk.ask(select(fulfillment_order.c.number))
    operate.ship_by_hand(desk.runtime, order_id, number, person=PERSON)
    less = SetQuantity(external(desk, order_id, "MUG"), 1)
    assert operate.preview_change(desk.runtime, order_id, [less]).refused == (
        "2 x MUG have left already; what remains is a return",
    )
    with pytest.raises(NotDoneError, match="2 x MUG have left already"):
        ask(desk, order_id, less)
    with pytest.raises(NotDoneError, match="everything has left already"):
        ask(desk, order_id, CancelOrder())


@pytest.mark.parametrize(
    ("asks", "words"),
    [
        ([], "nothing is to be changed"),
        ([SetQuantity("none", 1)], "no line 'none'"),
        ([AddLine("", "NOTHING", 1, 100)], "no article NOTHING"),
        ([ShipTo({"country": "US"})], "the address needs a country, and a street"),
        ([ShipTo({"country": "Germany", "city": "Berlin"})], "that cannot be"),
        ([ShipTo({"country": "US", "planet": "Mars"})], "that cannot be"),
        ([SetMethod("teleport")], "ship, pickup"),
        ([SetMethod("pickup", "MOON")], "nobody can collect at 'MOON'; customers can collect at: none yet"),
        ([SetMethod("ship")], "so already"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(desk: Desk, asks: list[Any], words: str) -> None:
    _, order_id = buy(desk, ("MUG", 1))
    with pytest.raises(NotDoneError, match=words):
        ask(desk, order_id, *asks)
    with pytest.raises(NotDoneError, match="there is no order"):
        ask(desk, "nonsense", CancelOrder())


# One at a time, confirmed by what was seen ------------------------------------------------------------------------


def test_a_change_waits_for_its_confirmation_and_happens_once(desk: Desk) -> None:
    _, order_id = buy(desk, ("MUG", 3))
    asked = ask(desk, order_id, SetQuantity(external(desk, order_id, "MUG"), 2), reason="one too many")
    assert counters(desk, order_id) == {"MUG": (3, 0, 3, 0)}
    assert operate.confirm_change(desk.runtime, asked.id, person=PERSON)
    assert not operate.confirm_change(desk.runtime, asked.id, person=PERSON)
    assert counters(desk, order_id) == {"MUG": (3, 1, 2, 0)}
    assert desk.world.on_shelf()["WEST"]["MUG"] == (10, 8, 2)
    [(kind, delta, by, decided)] = rows(
        desk,
        select(order_change.c.kind, order_change.c.delta_minor, order_change.c.created_by, order_change.c.decided_by),
    )
    assert (kind, delta, by, decided) == ("edit", -1000, f"person:{PERSON}", f"person:{PERSON}")
    assert column(desk, order_id, "total_minor") == column(desk, order_id, "computed_minor") == 2000
    assert {"change_asked", "edited", "channel_says"} <= {kind for _, kind in desk.said(order_id)}


def test_one_change_waits_at_a_time(desk: Desk) -> None:
    _, order_id = buy(desk, ("MUG", 3))
    mug = external(desk, order_id, "MUG")
    first = ask(desk, order_id, SetQuantity(mug, 2))
    for act in (
        lambda: ask(desk, order_id, SetQuantity(mug, 1)),
        lambda: operate.cancel_order(desk.runtime, order_id, "a mistake", person=PERSON),
    ):
        with pytest.raises(NotDoneError, match="another change"):
            act()
    assert operate.end_change(desk.runtime, first.id, person=PERSON, note="they called again")
    assert not operate.end_change(desk.runtime, first.id, person=PERSON)
    second = ask(desk, order_id, SetQuantity(mug, 1))
    assert operate.end_change(desk.runtime, second.id, person=PERSON, declined=True)
    assert [status(desk, one.id) for one in (first, second)] == ["cancelled", "declined"]
    assert not operate.confirm_change(desk.runtime, second.id, person=PERSON)


def test_the_database_too_keeps_a_second_change_from_waiting(desk: Desk) -> None:
    _, order_id = buy(desk, ("MUG", 3))
    asked = ask(desk, order_id, SetQuantity(external(desk, order_id, "MUG"), 2))
    known = desk.world.read(lambda tx: change_store.get(tx, asked.id))
    values = {name: getattr(known, name) for name in change_store.ChangeRow.__slots__}
    with pytest.raises(IntegrityError), desk.world.db.begin() as tx:
        tx.execute(order_change.insert().values(**values | {"id": "another"}))


def test_a_change_that_nobody_confirms_lapses(desk: Desk) -> None:
    _, order_id = buy(desk, ("MUG", 3))
    asked = ask(desk, order_id, SetQuantity(external(desk, order_id, "MUG"), 2), open_for=timedelta(hours=1))
    desk.world.clock_strikes()
    assert status(desk, asked.id) == "requested"
    desk.world.later(minutes=61)
    with pytest.raises(NotDoneError, match="lapsed"):
        operate.confirm_change(desk.runtime, asked.id, person=PERSON)
    desk.world.clock_strikes()
    assert status(desk, asked.id) == "expired"
    assert ("clock", "change_expired") in desk.said(order_id)
    assert counters(desk, order_id) == {"MUG": (3, 0, 3, 0)}
    assert ask(desk, order_id, CancelOrder("late")).id


def test_a_change_whose_time_is_over_stands_in_nobody_s_way(desk: Desk) -> None:
    _, order_id = buy(desk, ("MUG", 3))
    mug = external(desk, order_id, "MUG")
    first = ask(desk, order_id, SetQuantity(mug, 2), open_for=timedelta(hours=1))
    desk.world.later(minutes=61)
    second = ask(desk, order_id, SetQuantity(mug, 1), open_for=timedelta(hours=1))
    assert [status(desk, one.id) for one in (first, second)] == ["expired", "requested"]
    desk.world.later(minutes=61)
    assert operate.cancel_order(desk.runtime, order_id, "a mistake", person=PERSON)
    assert status(desk, second.id) == "expired"
    assert [kind for _, kind in desk.said(order_id)].count("change_expired") == 2


def test_a_confirmation_is_refused_when_the_order_changed_since_and_says_what(desk: Desk) -> None:
    made, order_id = buy(desk, ("MUG", 3), ("TEE", 1))
    asked = ask(desk, order_id, SetQuantity(external(desk, order_id, "MUG"), 2))
    desk.send("orders/updated", desk.shop.edit_order(made.id, {"TEE": 0}))
    with pytest.raises(NotDoneError, match=r"line 2 \(TEE\): 1 ordered, 0 cancelled.* before, 1 ordered, 1 cancelled"):
        operate.confirm_change(desk.runtime, asked.id, person=PERSON)
    assert status(desk, asked.id) == "requested"
    assert counters(desk, order_id)["MUG"] == (3, 0, 3, 0)


def test_a_confirmation_is_refused_when_a_place_has_moved_on(desk: Desk) -> None:
    _, order_id = buy(desk, ("MUG", 3))
    asked = ask(desk, order_id, SetQuantity(external(desk, order_id, "MUG"), 2))
    [number] = desk.ask(select(fulfillment_order.c.number))
    operate.ship_by_hand(desk.runtime, order_id, number, person=PERSON)
    with pytest.raises(NotDoneError, match="3 shipped now"):
        operate.confirm_change(desk.runtime, asked.id, person=PERSON)


def test_a_confirmation_names_the_preview_it_was_given_for(desk: Desk) -> None:
    _, order_id = buy(desk, ("MUG", 3))
    asked = ask(desk, order_id, SetQuantity(external(desk, order_id, "MUG"), 2))
    with pytest.raises(NotDoneError, match="not the preview"):
        operate.confirm_change(desk.runtime, asked.id, person=PERSON, seen="0" * 64)
    [seen] = desk.ask(select(order_change.c.preview_hash))
    assert operate.confirm_change(desk.runtime, asked.id, person=PERSON, seen=seen)


# Before and after routing -----------------------------------------------------------------------------------------


def test_an_order_that_was_not_routed_yet_is_changed_without_recalling_anything(desk: Desk) -> None:
    _, order_id = buy(desk, ("MUG", 3), paid="PENDING")
    change(desk, order_id, SetQuantity(external(desk, order_id, "MUG"), 1), AddLine("", "TEE", 2, 700))
    assert counters(desk, order_id) == {"MUG": (3, 2, 0, 0), "TEE": (2, 0, 0, 0)}
    assert column(desk, order_id, "total_minor") == 1000 + 1400
    reserved = select(reservation.c.quantity).where(reservation.c.state == "active").order_by(reservation.c.quantity)
    assert desk.ask(reserved) == [1, 2]


def test_goods_that_are_added_are_routed_and_completed_orders_open_again_for_them(desk: Desk) -> None:
    _, order_id = buy(desk, ("MUG", 1))
    [number] = desk.ask(select(fulfillment_order.c.number))
    operate.ship_by_hand(desk.runtime, order_id, number, person=PERSON)
    assert column(desk, order_id, "lifecycle") == "completed"
    change(desk, order_id, AddLine("", "TEE", 2, 700))
    assert column(desk, order_id, "lifecycle") == "open"
    assert counters(desk, order_id) == {"MUG": (1, 0, 1, 1), "TEE": (2, 0, 2, 0)}
    assert desk.world.on_shelf()["WEST"]["TEE"] == (5, 3, 2)


def test_what_was_not_handed_over_is_withdrawn_and_routed_anew(desk: Desk) -> None:
    at_3pl(desk, "MUG")
    operate.pause(desk.runtime, "3PL", person=PERSON)
    _, order_id = buy(desk, ("MUG", 3))
    assert work(desk, order_id) == [("open", "unsubmitted")]
    change(desk, order_id, ShipTo(TRENTON))
    assert [one[0] for one in work(desk, order_id)] == ["cancelled", "open"]
    operate.resume(desk.runtime, "3PL", person=PERSON)
    desk.world.run()
    [order] = desk.threepl.orders
    assert order["shipping_address"]["city"] == "Trenton"


def test_what_was_handed_over_is_asked_back_and_sent_anew_with_the_new_address(desk: Desk) -> None:
    at_3pl(desk, "MUG")
    _, order_id = buy(desk, ("MUG", 3))
    change(desk, order_id, ShipTo(TRENTON))
    first, second = desk.threepl.orders
    assert first["fulfillment_status"] == "canceled"
    assert second["shipping_address"]["city"] == "Trenton"
    assert column(desk, order_id, "city") == "Trenton"


def test_two_reductions_while_a_place_is_asked_back_count_both(desk: Desk) -> None:
    at_3pl(desk, "MUG")
    _, order_id = buy(desk, ("MUG", 5))
    mug = external(desk, order_id, "MUG")
    for quantity in (4, 2):
        asked = ask(desk, order_id, SetQuantity(mug, quantity))
        assert operate.confirm_change(desk.runtime, asked.id, person=PERSON)
    desk.world.run()
    assert counters(desk, order_id) == {"MUG": (5, 3, 2, 0)}
    assert desk.world.on_shelf()["EAST"]["MUG"] == (9, 7, 2)


def test_units_that_are_wanted_again_before_the_answer_are_not_cancelled(desk: Desk) -> None:
    at_3pl(desk, "MUG")
    _, order_id = buy(desk, ("MUG", 5))
    mug = external(desk, order_id, "MUG")
    for quantity in (2, 4):
        asked = ask(desk, order_id, SetQuantity(mug, quantity))
        assert operate.confirm_change(desk.runtime, asked.id, person=PERSON)
    desk.world.run()
    ordered, cancelled, routed, _ = counters(desk, order_id)["MUG"]
    assert (ordered - cancelled, routed) == (4, 4)
    assert column(desk, order_id, "total_minor") == 4000


def test_part_of_two_fulfillment_orders_is_taken_back_to_the_unit(desk: Desk) -> None:
    at_3pl(desk, "MUG", 2)
    operate.adjust_stock(desk.runtime, "MUG", "WEST", set_to=2, reason="count", person=PERSON)
    _, order_id = buy(desk, ("MUG", 4))
    assert len(work(desk, order_id)) == 2
    change(desk, order_id, SetQuantity(external(desk, order_id, "MUG"), 1))
    assert counters(desk, order_id) == {"MUG": (4, 3, 1, 0)}


def test_an_order_is_collected_instead_of_shipped_and_the_channel_does_not_undo_it(desk: Desk) -> None:
    operate.change_location(desk.runtime, "WEST", {"picks_up": True}, person=PERSON)
    made, order_id = buy(desk, ("MUG", 1))
    change(desk, order_id, SetMethod("pickup", "WEST"))
    for _ in range(2):
        assert column(desk, order_id, "method") == "pickup"
        assert column(desk, order_id, "pickup_location_id") is not None
        assert column(desk, order_id, "document")["delivery_method"] == "pickup"
        methods = desk.ask(select(fulfillment_order.c.method).order_by(fulfillment_order.c.id))
        assert methods == ["ship", "pickup"]
        desk.send("orders/updated", desk.shop.edit_order(made.id, note="ring twice"))


# Cancelling -------------------------------------------------------------------------------------------------------


def test_cancelling_twice_restores_each_unit_once(desk: Desk) -> None:
    _, order_id = buy(desk, ("MUG", 3))
    assert operate.cancel_order(desk.runtime, order_id, "a mistake", person=PERSON)
    assert not operate.cancel_order(desk.runtime, order_id, "a mistake", person=PERSON)
    assert desk.world.on_shelf()["WEST"]["MUG"] == (10, 10, 0)
    assert desk.ask(select(stock_move.c.quantity).where(stock_move.c.kind == "release")) == [3]
    assert rows(desk, select(order_change.c.kind, order_change.c.status, order_change.c.delta_minor)) == [
        ("cancel", "confirmed", -3000)
    ]


def test_a_part_is_cancelled_by_line_and_quantity(desk: Desk) -> None:
    _, order_id = buy(desk, ("MUG", 3), ("TEE", 1))
    change(desk, order_id, SetQuantity(external(desk, order_id, "TEE"), 0))
    assert counters(desk, order_id) == {"MUG": (3, 0, 3, 0), "TEE": (1, 1, 0, 0)}
    change(desk, order_id, SetQuantity(external(desk, order_id, "MUG"), 0))
    assert column(desk, order_id, "lifecycle") == "cancelled"
    assert desk.world.on_shelf()["WEST"] == {"MUG": (10, 10, 0), "TEE": (5, 5, 0)}


def test_cancelling_after_a_part_has_left_keeps_what_left_and_its_price(desk: Desk) -> None:
    at_3pl(desk, "TEE", 5)
    operate.adjust_stock(desk.runtime, "TEE", "WEST", set_to=0, reason="count", person=PERSON)
    _, order_id = buy(desk, ("MUG", 2), ("TEE", 1))
    [number] = desk.ask(select(fulfillment_order.c.number).where(fulfillment_order.c.handling == "manual"))
    operate.ship_by_hand(desk.runtime, order_id, number, person=PERSON)
    assert operate.cancel_order(desk.runtime, order_id, "too slow", person=PERSON)
    desk.world.run()
    assert counters(desk, order_id) == {"MUG": (2, 0, 2, 2), "TEE": (1, 1, 0, 0)}
    assert desk.ask(select(order_change.c.delta_minor)) == [-1000]
    assert column(desk, order_id, "lifecycle") == "completed"


# The channel's word -----------------------------------------------------------------------------------------------


def test_the_next_document_of_the_channel_does_not_undo_what_was_changed_here(desk: Desk) -> None:
    made, order_id = buy(desk, ("MUG", 3), ("TEE", 1))
    change(desk, order_id, SetQuantity(external(desk, order_id, "MUG"), 2), ShipTo(TRENTON), AddLine("", "TEE", 1, 700))
    before = counters(desk, order_id)
    desk.send("orders/updated", desk.shop.edit_order(made.id, note="ring twice"))
    assert counters(desk, order_id) == before
    assert (column(desk, order_id, "city"), column(desk, order_id, "document")["note"]) == ("Trenton", "ring twice")
    assert column(desk, order_id, "total_minor") == 4000 - 1000 + 700
    assert desk.ask(select(hold.c.kind).where(hold.c.state == "active")) == ["refund_due"]


def test_what_the_channel_changes_beside_it_is_taken(desk: Desk) -> None:
    made, order_id = buy(desk, ("MUG", 3), ("TEE", 2))
    change(desk, order_id, SetQuantity(external(desk, order_id, "MUG"), 2))
    desk.send("orders/updated", desk.shop.edit_order(made.id, {"TEE": 1}))
    assert counters(desk, order_id) == {"MUG": (3, 1, 2, 0), "TEE": (2, 1, 1, 0)}
    assert column(desk, order_id, "total_minor") == column(desk, order_id, "computed_minor") == 3000


def test_when_the_channel_comes_to_the_same_nothing_is_kept_apart_any_more(desk: Desk) -> None:
    made, order_id = buy(desk, ("MUG", 3))
    change(desk, order_id, SetQuantity(external(desk, order_id, "MUG"), 2))
    assert column(desk, order_id, "channel_document") is not None
    desk.send("orders/updated", desk.shop.edit_order(made.id, {"MUG": 2}))
    assert column(desk, order_id, "channel_document") is None
    assert counters(desk, order_id) == {"MUG": (3, 1, 2, 0)}


def test_when_the_channel_wants_something_else_it_is_held_and_ours_stays(desk: Desk) -> None:
    made, order_id = buy(desk, ("MUG", 3))
    change(desk, order_id, SetQuantity(external(desk, order_id, "MUG"), 2))
    desk.send("orders/updated", desk.shop.edit_order(made.id, {"MUG": 1}))
    assert counters(desk, order_id) == {"MUG": (3, 1, 2, 0)}
    [(kind, blocks, reason)] = rows(
        desk, select(hold.c.kind, hold.c.blocks, hold.c.reason).where(hold.c.state == "active")
    )
    assert (kind, blocks) == ("remote_conflict", "release")
    assert "1 x MUG instead of our 2" in reason
    assert desk.world.inbox_outcomes()["conflict"] == 1


def test_an_order_that_is_cancelled_here_stays_cancelled_whatever_the_channel_says(desk: Desk) -> None:
    made, order_id = buy(desk, ("MUG", 3))
    operate.cancel_order(desk.runtime, order_id, "a mistake", person=PERSON)
    desk.send("orders/updated", desk.shop.edit_order(made.id, note="ring twice"))
    assert column(desk, order_id, "lifecycle") == "cancelled"
    active = select(hold.c.kind).where(hold.c.state == "active").order_by(hold.c.kind)
    assert desk.ask(active) == ["refund_due"]
    desk.send("orders/updated", desk.shop.edit_order(made.id, {"MUG": 2}))
    assert desk.ask(active) == ["refund_due", "remote_conflict"]
    assert counters(desk, order_id) == {"MUG": (3, 3, 0, 0)}
    assert desk.world.on_shelf()["WEST"]["MUG"] == (10, 10, 0)


def test_the_timeline_says_what_the_channel_goes_on_saying(desk: Desk) -> None:
    _, order_id = buy(desk, ("MUG", 3))
    change(desk, order_id, SetQuantity(external(desk, order_id, "MUG"), 2))
    query = select(entity_event.c.message).where(entity_event.c.kind == "channel_says")
    assert desk.ask(query) == ["Web shop still says: 3 x MUG."]


def test_changes_of_the_channel_are_kept_beside_those_of_people(desk: Desk) -> None:
    made, _ = buy(desk, ("MUG", 3), ("TEE", 1))
    desk.send("orders/updated", desk.shop.edit_order(made.id, {"TEE": 0}))
    desk.send("orders/updated", desk.shop.cancel_order(made.id))
    what = order_change.c
    assert rows(desk, select(what.source, what.kind, what.status, what.delta_minor).order_by(what.id)) == [
        ("channel", "edit", "confirmed", -1000),
        ("channel", "cancel", "confirmed", -3000),
    ]


def test_every_change_that_waits_or_waited_is_found_with_its_order(desk: Desk) -> None:
    _, order_id = buy(desk, ("MUG", 3))
    asked = ask(desk, order_id, SetQuantity(external(desk, order_id, "MUG"), 2))
    found = desk.world.read(lambda tx: change_store.requested(tx, [order_id]))
    assert found[order_id].id == asked.id
    operate.confirm_change(desk.runtime, asked.id, person=PERSON)
    assert [one.status for one in desk.world.read(lambda tx: change_store.of_order(tx, order_id))] == ["confirmed"]


def test_units_that_were_given_up_do_not_come_back_with_the_next_document(desk: Desk) -> None:
    made, order_id = buy(desk, ("MUG", 12))
    [(line_id, waiting)] = rows(desk, select(order_line.c.id, order_line.c.ordered - order_line.c.routed))
    assert waiting == 2
    soon = desk.world.now() + timedelta(minutes=1)
    waiting_operate.set_cancel_date(desk.runtime, order_id, line_id, soon, person=PERSON)
    desk.world.later(minutes=2)
    desk.world.clock_strikes()
    assert counters(desk, order_id) == {"MUG": (12, 2, 10, 0)}
    assert column(desk, order_id, "total_minor") == 10_000
    desk.send("orders/updated", desk.shop.edit_order(made.id, note="ring twice"))
    assert counters(desk, order_id) == {"MUG": (12, 2, 10, 0)}


def test_goods_that_left_unwanted_do_not_stand_against_later_changes(desk: Desk) -> None:
    at_3pl(desk, "TEE", 5)
    operate.adjust_stock(desk.runtime, "TEE", "WEST", set_to=0, reason="count", person=PERSON)
    _, order_id = buy(desk, ("MUG", 3), ("TEE", 2))
    asked = ask(desk, order_id, SetQuantity(external(desk, order_id, "TEE"), 0))
    operate.confirm_change(desk.runtime, asked.id, person=PERSON)

    def leaves(at: FlowsDesk, state: OrderState) -> bool:
        fo = next(one for one in state.fos if one.handling == "threepl")
        parcel = Parcel(everything(fo), "1Z999AA10123456784")
        ship(at, state, fo, [parcel], connection_id=desk.threepl_id, external_id="S-1", shipped_at=at.now)
        return True

    assert at_desk(desk.runtime, order_id, PERSON, leaves)
    assert counters(desk, order_id)["TEE"] == (2, 0, 2, 2), "it was too late"
    change(desk, order_id, SetQuantity(external(desk, order_id, "MUG"), 2))
    assert counters(desk, order_id)["MUG"] == (3, 1, 2, 0)
    assert column(desk, order_id, "total_minor") == 2000, "nobody pays for what was not wanted"


def test_the_channel_is_told_only_of_units_that_it_knows(desk: Desk) -> None:
    made, order_id = buy(desk, ("MUG", 2))
    change(desk, order_id, SetQuantity(external(desk, order_id, "MUG"), 3), AddLine("", "TEE", 1, 700))
    for number in desk.ask(select(fulfillment_order.c.number)):
        operate.ship_by_hand(desk.runtime, order_id, number, person=PERSON, tracking_number=f"1Z{number}")
    desk.world.run()
    assert counters(desk, order_id) == {"MUG": (3, 0, 3, 3), "TEE": (1, 0, 1, 1)}
    told = desk.shop.fulfillments(made.id)
    assert sum(units for one in told for units in one["units"].values()) == 2
    assert set(desk.ask(select(outbox.c.status).where(outbox.c.operation == "confirm"))) == {"delivered"}


def test_what_was_added_here_leaves_without_a_word_to_the_channel(desk: Desk) -> None:
    at_3pl(desk, "TEE", 5)
    operate.adjust_stock(desk.runtime, "TEE", "WEST", set_to=0, reason="count", person=PERSON)
    _, order_id = buy(desk, ("MUG", 1))
    change(desk, order_id, AddLine("", "TEE", 1, 700))
    live = select(fulfillment_order.c.number).where(fulfillment_order.c.handling == "threepl")
    [number] = desk.ask(live)

    def leaves(at: FlowsDesk, state: OrderState) -> bool:
        fo = next(one for one in state.fos if one.number == number)
        ship(at, state, fo, [Parcel(everything(fo))], connection_id=None, external_id=None, shipped_at=at.now)
        return True

    assert at_desk(desk.runtime, order_id, PERSON, leaves)
    assert desk.ask(select(outbox.c.id).where(outbox.c.operation == "confirm")) == []
