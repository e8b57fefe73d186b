"""Holds: what each stops, on what it lies, and how it ends."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.domain.holds import BLOCKS, MAY_BLOCK, STATES, STOPPED_BY
from hub.flows import operate
from hub.flows.desk import HoldTerms, open_desk
from hub.flows.operate import HoldOn, NotDoneError
from hub.store import orders as orders_store
from hub.store import outbox as outbox_store
from hub.store.tables import entity_event, fulfillment_order, hold, order_line, orders, outbox
from hub.store.views import holds as holds_view
from hub.store.views import orders as orders_view
from hub.store.views.holds import HoldQuery
from hub.store.views.orders import OrderQuery
from tests.operate.conftest import PERSON, Desk


def rows(desk: Desk, query: object) -> list[tuple]:
    return [tuple(row) for row in desk.world.read(lambda tx: tx.execute(query).all())]


def fos(desk: Desk, order_id: str) -> list[tuple[str, str, str]]:
    """(number, exec status, request status) of the fulfillment orders, oldest first."""
    fo = fulfillment_order.c
    query = select(fo.number, fo.exec_status, fo.request_status).where(fo.order_id == order_id).order_by(fo.id)
    return rows(desk, query)


def hand_overs(desk: Desk, order_id: str) -> list[str]:
    query = select(outbox.c.status).where(outbox.c.order_id == order_id, outbox.c.operation == "submit")
    return desk.ask(query.order_by(outbox.c.id))


def hold_on(desk: Desk, order_id: str, reason: str = "wait", **how: object) -> str:
    return operate.hold_order(desk.runtime, order_id, reason, person=PERSON, on=HoldOn(**how))


def release(desk: Desk, order_id: str, hold_id: str) -> bool:
    done = operate.release_hold(desk.runtime, order_id, hold_id, person=PERSON)
    desk.world.run()
    return done


def at_3pl(desk: Desk, sku: str, units: int = 9) -> None:
    operate.adjust_stock(desk.runtime, sku, "EAST", set_to=units, reason="count", person=PERSON)


def stocked_order(desk: Desk, *lines: tuple[str, int], hold_first: bool = True) -> str:
    """An order that waits as a whole, so that holds can be put on its parts before anything is routed."""
    desk.send("orders/create", desk.shop.place_order(list(lines), paid="PENDING" if hold_first else "PAID"))
    return desk.newest()


def release_unpaid(desk: Desk, order_id: str) -> None:
    [(found,)] = rows(
        desk, select(hold.c.id).where(hold.c.order_id == order_id, hold.c.kind == "unpaid", hold.c.state == "active")
    )
    assert release(desk, order_id, found)


def test_a_hold_on_a_line_keeps_that_line_and_no_other(desk: Desk) -> None:
    order_id = stocked_order(desk, ("MUG", 2), ("TEE", 1))
    held = hold_on(desk, order_id, line="MUG")
    release_unpaid(desk, order_id)
    assert rows(desk, select(order_line.c.sku, order_line.c.routed).order_by(order_line.c.line_no)) == [
        ("MUG", 0),
        ("TEE", 1),
    ]
    assert release(desk, order_id, held)
    assert desk.ask(select(order_line.c.routed).order_by(order_line.c.line_no)) == [2, 1]


def test_stock_that_comes_in_does_not_route_a_held_line(desk: Desk) -> None:
    order_id = stocked_order(desk, ("MUG", 12))
    held = hold_on(desk, order_id, line="1")
    release_unpaid(desk, order_id)
    operate.adjust_stock(desk.runtime, "MUG", "WEST", set_to=20, reason="count", person=PERSON)
    desk.world.run()
    assert desk.ask(select(order_line.c.routed)) == [0]
    assert release(desk, order_id, held)
    assert desk.ask(select(order_line.c.routed)) == [12]


@pytest.mark.parametrize("target", ["order", "line", "fo"])
@pytest.mark.parametrize("blocks", ["release", "ship"])
def test_what_is_held_is_not_handed_over_until_it_is_released(desk: Desk, target: str, blocks: str) -> None:
    at_3pl(desk, "MUG")
    order_id = stocked_order(desk, ("MUG", 1))
    if target == "fo":
        operate.pause(desk.runtime, "3PL", person=PERSON)
        release_unpaid(desk, order_id)
        [(number, _, _)] = fos(desk, order_id)
        held = hold_on(desk, order_id, blocks=blocks, fo=number)
        operate.resume(desk.runtime, "3PL", person=PERSON)
        desk.world.run()
    else:
        held = hold_on(desk, order_id, blocks=blocks, line="MUG" if target == "line" else "")
        release_unpaid(desk, order_id)
    assert hand_overs(desk, order_id) == ["pending"]
    assert desk.threepl.orders == []
    [(said,)] = rows(desk, select(outbox.c.error).where(outbox.c.operation == "submit"))
    assert "hold" in said
    desk.world.later(hours=2)
    desk.world.run()
    assert desk.threepl.orders == [], "it is looked at again, and waits on"
    assert release(desk, order_id, held)
    assert hand_overs(desk, order_id) == ["delivered"]
    assert len(desk.threepl.orders) == 1


def test_a_hold_on_everything_stops_every_step(desk: Desk) -> None:
    at_3pl(desk, "MUG")
    operate.adjust_stock(desk.runtime, "MUG", "WEST", set_to=0, reason="count", person=PERSON)
    operate.pause(desk.runtime, "3PL", person=PERSON)
    order_id = desk.buy(("MUG", 1), ("TEE", 9))
    assert rows(desk, select(order_line.c.sku, order_line.c.routed).order_by(order_line.c.line_no)) == [
        ("MUG", 1),
        ("TEE", 5),
    ]
    held = hold_on(desk, order_id, kind="fraud", blocks="everything")
    operate.resume(desk.runtime, "3PL", person=PERSON)
    operate.adjust_stock(desk.runtime, "TEE", "WEST", set_to=20, reason="count", person=PERSON)
    desk.world.run()
    assert hand_overs(desk, order_id) == ["pending"]
    assert desk.ask(select(order_line.c.routed).order_by(order_line.c.line_no)) == [1, 5]
    by_hand = select(fulfillment_order.c.number).where(fulfillment_order.c.handling == "manual")
    with pytest.raises(NotDoneError, match=r"hold \(fraud\)"):
        operate.ship_by_hand(desk.runtime, order_id, desk.ask(by_hand)[0], person=PERSON)
    assert release(desk, order_id, held)
    assert hand_overs(desk, order_id) == ["delivered"]
    assert desk.ask(select(order_line.c.routed).order_by(order_line.c.line_no)) == [1, 9]


def test_a_line_may_be_held_in_everything(desk: Desk) -> None:
    order_id = stocked_order(desk, ("MUG", 2), ("TEE", 1))
    held = hold_on(desk, order_id, line="MUG", blocks="everything")
    release_unpaid(desk, order_id)
    assert desk.ask(select(order_line.c.routed).order_by(order_line.c.line_no)) == [0, 1]
    assert release(desk, order_id, held)
    assert desk.ask(select(order_line.c.routed).order_by(order_line.c.line_no)) == [2, 1]


def test_a_hold_on_one_fulfillment_order_lets_the_others_go(desk: Desk) -> None:
    at_3pl(desk, "MUG", 4)
    operate.adjust_stock(desk.runtime, "MUG", "WEST", set_to=0, reason="count", person=PERSON)
    order_id = stocked_order(desk, ("MUG", 4), ("TEE", 5))
    operate.pause(desk.runtime, "3PL", person=PERSON)
    release_unpaid(desk, order_id)
    by_place = dict(rows(desk, select(fulfillment_order.c.handling, fulfillment_order.c.number)))
    hold_on(desk, order_id, blocks="release", fo=by_place["threepl"])
    operate.resume(desk.runtime, "3PL", person=PERSON)
    desk.world.run()
    assert hand_overs(desk, order_id) == ["pending"]
    assert operate.ship_by_hand(desk.runtime, order_id, by_place["manual"], person=PERSON)


@pytest.mark.parametrize(
    ("blocks", "stopped"), [("release", True), ("ship", True), ("label", False), ("routing", False)]
)
def test_shipping_by_hand_waits_for_what_blocks_shipping(desk: Desk, blocks: str, *, stopped: bool) -> None:
    order_id = desk.buy(("MUG", 1))
    [(number, _, _)] = fos(desk, order_id)
    held = hold_on(desk, order_id, blocks=blocks)
    if stopped:
        with pytest.raises(NotDoneError, match=r"hold \(manual\)"):
            operate.ship_by_hand(desk.runtime, order_id, number, person=PERSON)
        assert desk.world.on_shelf()["WEST"]["MUG"] == (10, 9, 1)
        assert release(desk, order_id, held)
    assert operate.ship_by_hand(desk.runtime, order_id, number, person=PERSON)


def test_a_hold_says_what_it_comes_too_late_for_and_that_can_be_asked_back(desk: Desk) -> None:
    at_3pl(desk, "MUG")
    order_id, other = desk.buy(("MUG", 11), ("TEE", 5)), desk.buy(("MUG", 1))
    by_place = dict(
        rows(
            desk,
            select(fulfillment_order.c.handling, fulfillment_order.c.number).where(
                fulfillment_order.c.order_id == order_id
            ),
        )
    )
    said = f"{by_place['threepl']} is already with 3PL; this hold does not stop it"
    tee = hold_on(desk, order_id, line="TEE", blocks="ship")
    hold_on(desk, order_id, blocks="nothing")
    assert operate.out_of_reach(desk.runtime, order_id) == [], "its own people see it in their queue"
    assert release(desk, order_id, tee)
    [here, there] = operate.hold_orders(
        desk.runtime, [order_id, other], "recall", person=PERSON, on=HoldOn(blocks="ship")
    )
    assert (here.done, here.note) == (True, said)
    assert "is already with 3PL" in there.note
    row = desk.world.read(lambda tx: orders_view.rows_of(tx, [order_id]))[order_id]
    assert [[one.said for one in held.beyond] for held in row.holds] == [[], [said]]
    assert operate.ask_back(desk.runtime, order_id, by_place["threepl"], person=PERSON)
    assert not operate.ask_back(desk.runtime, order_id, by_place["threepl"], person=PERSON)
    assert operate.out_of_reach(desk.runtime, order_id) == [], "it is asked already"
    desk.world.run()
    states = {number: (work, asked) for number, work, asked in fos(desk, order_id)}
    assert states[by_place["threepl"]] == ("cancelled", "cancellation_accepted")
    assert hand_overs(desk, order_id) == ["delivered", "pending"], (
        "what is still wanted is routed, and kept by the hold"
    )
    with pytest.raises(NotDoneError, match="is cancelled: there is nothing left to stop"):
        operate.ask_back(desk.runtime, order_id, by_place["threepl"], person=PERSON)


def test_what_nobody_was_told_of_is_taken_back_at_once(desk: Desk) -> None:
    at_3pl(desk, "MUG")
    operate.pause(desk.runtime, "3PL", person=PERSON)
    order_id = desk.buy(("MUG", 1))
    hold_on(desk, order_id)
    [(number, _, _)] = fos(desk, order_id)
    assert operate.out_of_reach(desk.runtime, order_id) == []
    assert operate.ask_back(desk.runtime, order_id, number, person=PERSON)
    assert fos(desk, order_id) == [(number, "cancelled", "unsubmitted")]


def test_a_hold_that_stops_nothing_waits_for_somebody_while_the_order_goes_on(desk: Desk) -> None:
    order_id = desk.buy(("MUG", 1))
    held = hold_on(desk, order_id, "send the gift card", kind="gift", blocks="nothing")
    [(number, _, _)] = fos(desk, order_id)
    row = desk.world.read(lambda tx: orders_view.rows_of(tx, [order_id]))[order_id]
    assert (row.phase, [one.kind for one in row.holds]) == ("routed", ["gift"])
    on_hold = OrderQuery(only="on_hold")
    assert desk.world.read(lambda tx: orders_view.find(tx, on_hold)).rows == ()
    assert operate.ship_by_hand(desk.runtime, order_id, number, person=PERSON)
    assert [one.id for one in desk.world.read(lambda tx: holds_view.find(tx, HoldQuery(), desk.world.now())).rows] == [
        held
    ]
    assert release(desk, order_id, held)


def test_what_stops_a_step_is_written_down_once() -> None:
    assert set(STOPPED_BY) == {"submit", "buy_label", "ship"}
    assert STOPPED_BY["buy_label"] == {"release", "label", "ship", "everything"}
    assert "label" not in STOPPED_BY["submit"], "a 3PL prints labels of its own"
    assert all(set(allowed) <= set(BLOCKS) for allowed in MAY_BLOCK.values())
    assert STATES == {"active": ("released", "expired"), "released": (), "expired": ()}


def test_a_hold_that_makes_no_sense_is_refused_in_words(desk: Desk) -> None:
    order_id = desk.buy(("MUG", 1))
    [(number, _, _)] = fos(desk, order_id)
    for how, words in (
        ({"fo": number, "blocks": "routing"}, "fulfillment order can block release, label, ship"),
        ({"fo": number, "blocks": "everything"}, "fulfillment order can block release, label, ship"),
        ({"blocks": "the weather"}, "not 'the weather'"),
        ({"line": "CAP"}, "0 lines"),
        ({"fo": "FO-NONE"}, "nobody works on"),
    ):
        with pytest.raises(NotDoneError, match=words):
            hold_on(desk, order_id, **how)


def test_a_hold_has_a_reason_and_an_end_that_is_still_to_come(desk: Desk) -> None:
    order_id = desk.buy(("MUG", 1))
    over = HoldTerms(auto_release_at=desk.world.now())
    with pytest.raises(NotDoneError, match="say why the order has to wait"):
        operate.hold_order(desk.runtime, order_id, "  ", person=PERSON)
    with pytest.raises(NotDoneError, match="is over: say a moment that is still to come"):
        operate.hold_order(desk.runtime, order_id, "the colour", person=PERSON, on=HoldOn(terms=over))
    held = operate.hold_order(desk.runtime, order_id, "the colour", person=PERSON)
    with pytest.raises(NotDoneError, match="is over"):
        operate.look_after_hold(desk.runtime, held, over, person=PERSON)


def test_several_holds_of_one_kind_stand_side_by_side_when_they_have_handles(desk: Desk) -> None:
    order_id = desk.buy(("MUG", 1))
    first = hold_on(desk, order_id, kind="customer", handle="size")
    second = hold_on(desk, order_id, kind="customer", handle="colour")
    assert first
    assert second
    assert not hold_on(desk, order_id, kind="customer", handle="size")
    assert hold_on(desk, order_id, kind="customer", handle="size", line="MUG"), "another target is another hold"
    assert release(desk, order_id, first)
    assert hold_on(desk, order_id, kind="customer", handle="size"), "once released it may come again"


def test_a_hold_with_an_end_ends_by_itself_and_the_order_goes_on(desk: Desk) -> None:
    order_id = stocked_order(desk, ("MUG", 1))
    until = desk.world.now() + timedelta(hours=1)
    hold_on(desk, order_id, kind="customer", terms=HoldTerms("kim@example.com", until, until, "asked by mail"))
    release_unpaid(desk, order_id)
    assert fos(desk, order_id) == []
    desk.world.clock_strikes()
    assert fos(desk, order_id) == []
    desk.world.later(hours=1, minutes=1)
    desk.world.clock_strikes()
    assert len(fos(desk, order_id)) == 1
    query = select(hold.c.state, hold.c.released_by, hold.c.assignee, hold.c.note).where(hold.c.kind == "customer")
    assert rows(desk, query) == [("expired", "clock", "kim@example.com", "asked by mail")]
    assert ("clock", "expired") in desk.said(order_id)
    desk.world.clock_strikes()
    assert len(fos(desk, order_id)) == 1


def test_who_looks_after_a_hold_can_change_while_it_lasts(desk: Desk) -> None:
    order_id = desk.buy(("MUG", 1))
    held = hold_on(desk, order_id)
    due = desk.world.now() + timedelta(days=1)
    assert operate.look_after_hold(desk.runtime, held, HoldTerms("kim@example.com", due_at=due), person=PERSON)
    assert rows(desk, select(hold.c.assignee, hold.c.due_at)) == [("kim@example.com", due)]
    release(desk, order_id, held)
    assert not operate.look_after_hold(desk.runtime, held, HoldTerms("lee@example.com"), person=PERSON)
    assert (f"person:{PERSON}", "hold_changed") in desk.said(order_id)


def test_many_are_held_and_released_each_for_itself(desk: Desk) -> None:
    good, gone = desk.buy(("MUG", 1)), desk.buy(("MUG", 2))
    operate.cancel_order(desk.runtime, gone, "a mistake", person=PERSON)
    done = operate.hold_orders(desk.runtime, [good, gone, "nonsense", good], "recall", person=PERSON)
    assert [(one.done, bool(one.error)) for one in done] == [
        (True, False),
        (False, True),
        (False, True),
        (False, False),
    ]
    [held] = desk.ask(select(hold.c.id).where(hold.c.order_id == good, hold.c.state == "active"))
    ended = operate.release_holds(desk.runtime, [held, "nonsense", held], person=PERSON)
    assert [(one.done, bool(one.error)) for one in ended] == [(True, False), (False, True), (False, False)]


def test_a_hold_ends_with_the_part_it_lay_on(desk: Desk) -> None:
    at_3pl(desk, "MUG")
    order_id = stocked_order(desk, ("MUG", 1))
    operate.pause(desk.runtime, "3PL", person=PERSON)
    release_unpaid(desk, order_id)
    [(number, _, _)] = fos(desk, order_id)
    hold_on(desk, order_id, blocks="release", fo=number)
    assert operate.cancel_order(desk.runtime, order_id, "a mistake", person=PERSON)
    assert desk.ask(select(hold.c.state).where(hold.c.target_type == "fo")) == ["released"]
    assert desk.ask(select(orders.c.lifecycle)) == ["cancelled"]
    assert desk.ask(
        select(entity_event.c.kind).where(entity_event.c.entity_type == "fo", entity_event.c.kind == "released")
    )


def test_no_hold_comes_between_the_look_and_the_taking_of_a_message(desk: Desk) -> None:
    at_3pl(desk, "MUG")
    operate.pause(desk.runtime, "3PL", person=PERSON)
    order_id = stocked_order(desk, ("MUG", 1), hold_first=False)
    taken: list[dict[str, object]] = []

    def take() -> None:
        with desk.world.db.begin() as tx:
            now = desk.world.now()
            taken.extend(outbox_store.claim(tx, desk.threepl_id, "run", now, 4, desk.runtime.sending_time))

    sender = threading.Thread(target=take)
    with desk.world.db.begin() as tx:
        state = orders_store.load(tx, [order_id])[order_id]
        sender.start()  # the message is due, and the order is being held at this moment
        sender.join(0.3)
        assert sender.is_alive()
        at = open_desk(desk.runtime, tx, set(), actor="test")
        at.put_on_hold(state, "fraud", "Look first.", handle="look", source="person", blocks="release")
        at.flush()
    sender.join(10)
    assert not sender.is_alive()
    assert taken == []
    assert hand_overs(desk, order_id) == ["pending"]
