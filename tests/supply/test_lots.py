"""Lots with expiry and serial numbers: what leaves first, what does not leave, and where it went."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from hub.domain.lots import Marks, Shelf, fefo
from hub.flows import operate
from hub.flows.operate import NotDoneError, adjust_stock, purchasing, suppliers
from hub.flows.operate.counts import (
    Entry,
    apply_count,
    create_count,
    enter_count,
    enter_counts,
    review_count,
    start_count,
)
from hub.flows.operate.lots import adjust_lot, block_lot, record_serials, track_article, unblock_lot
from hub.flows.operate.transfers import (
    Missing,
    Received,
    close_short,
    create_transfer,
    make_ready,
    receive_transfer,
    ship_transfer,
)
from hub.flows.stock_care import audit
from hub.store import audits, lots
from hub.store.tables import hold, lot_position, serial_number
from hub.store.views import lots as view
from hub.store.views.lots import UnknownLotError
from tests.supply.conftest import PERSON, House, Shop

TODAY = date(2026, 6, 15)


def shelf(code: str, units: int, expires_on: date | None = None, *, blocked: bool = False) -> Shelf:
    return Shelf(code, code, units, expires_on, blocked)


def picked(shelves: list[Shelf], units: int) -> list[tuple[str, int]]:
    return [(one.code, taken) for one, taken in fefo(shelves, units, TODAY)]


def test_what_expires_first_leaves_first_and_what_never_expires_last() -> None:
    shelves = [shelf("NEVER", 9), shelf("AUG", 2, date(2026, 8, 1)), shelf("JUL", 3, date(2026, 7, 1))]
    assert picked(shelves, 4) == [("JUL", 3), ("AUG", 1)]
    assert picked(shelves, 6) == [("JUL", 3), ("AUG", 2), ("NEVER", 1)]


def test_a_lot_leaves_to_the_end_of_the_day_it_expires_and_never_when_it_is_expired_or_blocked() -> None:
    shelves = [
        shelf("YESTERDAY", 5, TODAY - timedelta(days=1)),
        shelf("TODAY", 1, TODAY),
        shelf("BAD", 5, TODAY, blocked=True),
    ]
    assert picked(shelves, 5) == [("TODAY", 1)]


def days(house: House, count: int) -> date:
    """A day so many from now."""
    return house.world.now().date() + timedelta(days=count)


def stock_lot(house: House, code: str, units: int, expires: int | None = None, sku: str = "YOG") -> None:
    marks = Marks(code, None if expires is None else days(house, expires))
    adjust_lot(house.runtime, sku, "BER", marks, units, person=PERSON, reason="delivery")


def stock_serials(house: House, *codes: str) -> None:
    adjust_lot(house.runtime, "CAM", "BER", Marks(serials=codes), len(codes), person=PERSON, reason="delivery")


def by_lot(house: House, sku: str = "YOG") -> dict[str, dict[str, int]]:
    found = house.world.read(lambda tx: view.of_article(tx, sku))
    return {one.code: {place.location: place.units for place in one.places} for one in found}


def left(shop: Shop, order_id: str) -> dict[str, int]:
    [one] = shop.world.read(lambda tx: view.left_with(tx, order_id))
    return {code: units for code, units, _ in one.marks}


@pytest.fixture
def dairy(shop: Shop) -> Shop:
    """A shop whose yoghurt is kept by lot."""
    assert track_article(shop.runtime, "YOG", "lot", person=PERSON)
    assert not track_article(shop.runtime, "YOG", "lot", person=PERSON)
    return shop


@pytest.fixture
def cameras(shop: Shop) -> Shop:
    """A shop whose cameras have serial numbers."""
    track_article(shop.runtime, "CAM", "serial", person=PERSON)
    return shop


def test_an_order_takes_what_expires_first_and_its_lots_are_on_record(dairy: Shop) -> None:
    stock_lot(dairy, "LATE", 5, 60)
    stock_lot(dairy, "SOON", 3, 10)
    order_id = dairy.buy(("YOG", 4))
    dairy.ship(order_id)
    assert left(dairy, order_id) == {"SOON": 3, "LATE": 1}
    assert by_lot(dairy) == {"LATE": {"BER": 4}}
    assert dairy.said("lots") == [f"YOG: 3 of lot SOON, 1 of lot LATE ({dairy.fo(order_id)})."]


def test_a_recall_finds_every_order_and_stops_the_lot(dairy: Shop) -> None:
    stock_lot(dairy, "L1", 4, 10)
    stock_lot(dairy, "L2", 4, 20)
    first, second = dairy.buy(("YOG", 3)), dairy.buy(("YOG", 2))
    dairy.ship(first)
    dairy.ship(second)
    third = dairy.buy(("MUG", 1))
    dairy.ship(third)
    [trace] = dairy.world.read(lambda tx: view.trace(tx, "L1"))
    assert [(one.order_id, one.units) for one in trace.departures] == [(first, 3), (second, 1)]
    assert all(one.email and one.order_number and one.channel == "Web shop" for one in trace.departures)
    [other] = dairy.world.read(lambda tx: view.trace(tx, "L2"))
    assert [(one.order_id, one.units) for one in other.departures] == [(second, 1)]
    assert dairy.told("YOG") == 3
    assert block_lot(dairy.runtime, "YOG", "L2", person=PERSON, reason="glass found") == 3
    assert block_lot(dairy.runtime, "YOG", "L2", person=PERSON, reason="glass found") is None
    assert dairy.units("BER", "YOG") == {"quality_hold": 3}
    assert dairy.told("YOG") == 0
    assert unblock_lot(dairy.runtime, "YOG", "L2", person=PERSON) == 3
    assert unblock_lot(dairy.runtime, "YOG", "L2", person=PERSON) is None
    assert dairy.told("YOG") == 3
    with pytest.raises(NotDoneError, match="has no lot 'L9'"):
        block_lot(dairy.runtime, "YOG", "L9", person=PERSON, reason="x")
    with pytest.raises(UnknownLotError, match="no lot and no serial number 'L9'"):
        dairy.world.read(lambda tx: view.trace(tx, "L9"))


def test_expired_units_are_held_back_at_night_once_and_are_not_sold(dairy: Shop) -> None:
    stock_lot(dairy, "OLD", 4, 1)
    stock_lot(dairy, "NEW", 2, 30)
    dairy.world.clock_strikes("night")
    assert dairy.units("BER", "YOG") == {"available": 6}
    dairy.world.later(days=3)
    for _ in range(2):
        dairy.world.clock_strikes("night")
        assert dairy.units("BER", "YOG") == {"available": 2, "quality_hold": 4}
    assert dairy.told("YOG") == 2
    assert dairy.said("held_back")[0].startswith("4 units of lot OLD are held back: it expired on")
    adjust_lot(dairy.runtime, "YOG", "BER", Marks("OLD"), -4, person=PERSON, reason="thrown away")
    assert dairy.units("BER", "YOG") == {"available": 2}


def test_expired_units_that_were_promised_show_as_oversold(dairy: Shop) -> None:
    stock_lot(dairy, "OLD", 4, 1)
    dairy.buy(("YOG", 3))
    dairy.world.later(days=3)
    dairy.world.clock_strikes("night")
    assert dairy.units("BER", "YOG") == {"available": -3, "committed": 3, "quality_hold": 4, "oversold": 3}


def receive(house: House, *arrived: tuple[str, int, str, int]) -> None:
    """A purchase order of yoghurt arrives: (lot, units, condition, days to its expiry) of each box."""
    suppliers.add_supplier(house.runtime, "DAIRY", currency="EUR", person=PERSON)
    wanted = [purchasing.Wanted("YOG", sum(units for _, units, _, _ in arrived), 1)]
    number = purchasing.draft_purchase(house.runtime, "DAIRY", "BER", wanted, person=PERSON)
    purchasing.place_purchase(house.runtime, number, person=PERSON)
    boxes = [
        purchasing.Delivered("YOG", units, condition, lot=lot, expires_on=days(house, expires))
        for lot, units, condition, expires in arrived
    ]
    purchasing.receive_purchase(house.runtime, number, boxes, person=PERSON)


def move(house: House, units: int, source: str, target: str, lot: str = "") -> None:
    ways = (source, target)
    operate.move_stock(house.runtime, "YOG", "BER", units, *ways, person=PERSON, reason="inspection", lot=lot)


def aside(house: House) -> dict[str, tuple[int, int, int, int]]:
    """Units, held back, to be inspected and damaged, by lot."""
    found = house.world.read(lambda tx: view.of_article(tx, "YOG"))
    return {one.code: (here.units, here.held, here.to_inspect, here.damaged) for one in found for here in one.places}


@pytest.mark.parametrize(("condition", "state"), [("to_inspect", "quality_hold"), ("damaged", "damaged")])
def test_units_that_are_not_for_sale_are_not_recorded_as_having_left(dairy: Shop, condition: str, state: str) -> None:
    receive(dairy, ("EARLY", 5, condition, 10), ("LATE", 5, "good", 60))
    assert dairy.units("BER", "YOG") == {"available": 5, state: 5}
    first = dairy.buy(("YOG", 4))
    dairy.ship(first)
    assert left(dairy, first) == {"LATE": 4}
    move(dairy, 3, state, "available")
    second = dairy.buy(("YOG", 2))
    dairy.ship(second)
    assert left(dairy, second) == {"EARLY": 2}
    assert by_lot(dairy) == {"EARLY": {"BER": 3}, "LATE": {"BER": 1}}


def test_of_which_lot_units_are_put_aside_has_to_be_said(dairy: Shop) -> None:
    stock_lot(dairy, "L1", 4, 10)
    stock_lot(dairy, "L2", 4, 20)
    with pytest.raises(NotDoneError, match=r"say of which lot the units are \(L1, L2\)"):
        move(dairy, 2, "available", "damaged")
    with pytest.raises(NotDoneError, match="5 units of lot L2 wanted and 4 are there"):
        move(dairy, 5, "available", "damaged", "L2")
    assert dairy.units("BER", "YOG") == {"available": 8}
    move(dairy, 3, "available", "damaged", "L2")
    move(dairy, 1, "available", "safety_stock")
    assert aside(dairy) == {"L1": (4, 0, 0, 0), "L2": (4, 0, 0, 3)}
    assert dairy.units("BER", "YOG") == {"available": 4, "safety_stock": 1, "damaged": 3}
    count(dairy, "YOG", ("L1", 4), ("L2", 2))
    assert aside(dairy) == {"L1": (4, 0, 0, 0), "L2": (2, 0, 0, 2)}
    assert dairy.units("BER", "YOG") == {"available": 3, "safety_stock": 1, "damaged": 2}


def test_units_of_a_lot_that_may_not_be_sold_pass_no_inspection(dairy: Shop) -> None:
    receive(dairy, ("L1", 5, "to_inspect", 10), ("L2", 3, "good", 20))
    move(dairy, 1, "quality_hold", "available")
    for code, held in (("L1", 1), ("L2", 3)):
        assert block_lot(dairy.runtime, "YOG", code, person=PERSON, reason="glass") == held
    assert aside(dairy) == {"L1": (5, 1, 4, 0), "L2": (3, 3, 0, 0)}
    with pytest.raises(NotDoneError, match="lot L1 may not be sold"):
        move(dairy, 4, "quality_hold", "available", "L1")
    assert unblock_lot(dairy.runtime, "YOG", "L1", person=PERSON) == 1
    move(dairy, 4, "quality_hold", "available", "L1")
    with pytest.raises(NotDoneError, match="3 units are in quality hold because their lot may not be sold"):
        move(dairy, 1, "quality_hold", "available")
    assert dairy.units("BER", "YOG") == {"available": 5, "quality_hold": 3}


@pytest.mark.parametrize(
    ("code", "lots_then", "units"),
    [
        ("mismatch", {"SOON": (1, 0, 0, 0), "LATE": (5, 0, 0, 0)}, {"available": 6}),
        ("not_in_stock", {}, {}),
        ("damaged", {"SOON": (3, 0, 0, 2), "LATE": (5, 0, 0, 0)}, {"available": 6, "damaged": 2}),
        ("worn_display", {"SOON": (3, 0, 0, 0), "LATE": (5, 0, 0, 0)}, {"available": 6, "reserved": 2}),
        ("other", {"SOON": (3, 0, 0, 0), "LATE": (5, 0, 0, 0)}, {"available": 8}),
    ],
)
def test_a_refusal_means_the_lot_that_would_have_left_first(
    dairy: Shop, code: str, lots_then: dict[str, tuple[int, ...]], units: dict[str, int]
) -> None:
    stock_lot(dairy, "SOON", 3, 10)
    stock_lot(dairy, "LATE", 5, 60)
    order_id = dairy.buy(("YOG", 2))
    operate.refuse_by_hand(dairy.runtime, order_id, dairy.fo(order_id), "", person=PERSON, code=code)
    assert aside(dairy) == lots_then
    assert dairy.units("BER", "YOG") == units
    [trace] = dairy.world.read(lambda tx: view.trace(tx, "SOON"))
    assert trace.departures == ()


def test_of_refused_serial_numbers_somebody_has_to_say_which_are_gone(cameras: Shop) -> None:
    stock_serials(cameras, "A1", "A2")
    order_id = cameras.buy(("CAM", 1))
    operate.refuse_by_hand(cameras.runtime, order_id, cameras.fo(order_id), "", person=PERSON, code="mismatch")
    assert cameras.ask(select(hold.c.kind).where(hold.c.state == "active")) == ["stock_to_check"]
    assert "count their serial numbers" in cameras.said("held")[0]
    number = create_count(cameras.runtime, "BER", person=PERSON, skus=["CAM"], assignee="Bo")
    start_count(cameras.runtime, number, person=PERSON)
    enter_count(cameras.runtime, number, "CAM", 1, person="Bo", add=True, serial="A2")
    review_count(cameras.runtime, number, person=PERSON)
    apply_count(cameras.runtime, number, person=PERSON)
    assert serials(cameras) == {"A1": "scrapped", "A2": "in_stock"}


def test_where_nothing_is_left_all_serial_numbers_are_gone(cameras: Shop) -> None:
    stock_serials(cameras, "A1", "A2")
    order_id = cameras.buy(("CAM", 1))
    operate.refuse_by_hand(cameras.runtime, order_id, cameras.fo(order_id), "", person=PERSON, code="not_in_stock")
    assert serials(cameras) == {"A1": "scrapped", "A2": "scrapped"}


def test_what_arrives_expired_goes_into_quality_hold_and_a_date_is_never_two(dairy: Shop) -> None:
    stock_lot(dairy, "OLD", 4, -1)
    assert dairy.units("BER", "YOG") == {"quality_hold": 4}
    with pytest.raises(NotDoneError, match=r"lot OLD expires on .* look at the label again"):
        stock_lot(dairy, "OLD", 4, 5)


def test_stock_of_a_tracked_article_is_corrected_by_its_lot_only(dairy: Shop) -> None:
    with pytest.raises(NotDoneError, match="YOG is kept by lot"):
        adjust_stock(dairy.runtime, "YOG", "BER", change=1, person=PERSON, reason="x")
    with pytest.raises(NotDoneError, match="say which lot"):
        adjust_lot(dairy.runtime, "YOG", "BER", Marks(), 1, person=PERSON, reason="x")
    with pytest.raises(NotDoneError, match="2 units of lot L1 wanted and 0 are there"):
        adjust_lot(dairy.runtime, "YOG", "BER", Marks("L1"), -2, person=PERSON, reason="x")
    with pytest.raises(NotDoneError, match="MUG is kept without lots"):
        adjust_lot(dairy.runtime, "MUG", "BER", Marks("L1"), 2, person=PERSON, reason="x")
    with pytest.raises(NotDoneError, match="none, lot, serial"):
        track_article(dairy.runtime, "MUG", "colour", person=PERSON)
    assert adjust_lot(dairy.runtime, "YOG", "BER", Marks("L1"), 2, person=PERSON, reason="x", key="one")
    assert not adjust_lot(dairy.runtime, "YOG", "BER", Marks("L1"), 2, person=PERSON, reason="x", key="one")
    assert by_lot(dairy) == {"L1": {"BER": 2}}


def test_goods_that_left_without_a_lot_are_told_of_and_a_count_puts_it_right(shop: Shop) -> None:
    shop.adjust("YOG", "BER", set_to=5)
    track_article(shop.runtime, "YOG", "lot", person=PERSON)
    order_id = shop.buy(("YOG", 2))
    shop.ship(order_id)
    assert "no sellable lot is in the books" in shop.said("lots_missing")[0]
    assert shop.world.read(lots.differences) == [
        {"sku": "YOG", "location": "BER", "tracking": "lot", "on_hand": 3, "in_lots": 0}
    ]
    count(shop, "YOG", ("L1", 3))
    assert by_lot(shop) == {"L1": {"BER": 3}}
    assert shop.units("BER", "YOG") == {"available": 3}


def count(house: House, sku: str, *found: tuple[str, int], between: object = None) -> None:
    """Count one article by lot and book it."""
    number = create_count(house.runtime, "BER", person=PERSON, skus=[sku], assignee="Bo")
    start_count(house.runtime, number, person=PERSON)
    rows = [Entry(index, sku, units, lot) for index, (lot, units) in enumerate(found, start=1)]
    assert all(one.status == "counted" for one in enter_counts(house.runtime, number, rows, person="Bo"))
    if callable(between):
        between()
    review_count(house.runtime, number, person=PERSON)
    apply_count(house.runtime, number, person=PERSON)


def test_a_count_by_lot_corrects_each_lot_whatever_was_sold_meanwhile(dairy: Shop) -> None:
    stock_lot(dairy, "L1", 5, 10)
    stock_lot(dairy, "L2", 5, 20)
    stock_lot(dairy, "L3", 1, 30)

    def sell() -> None:
        dairy.ship(dairy.buy(("YOG", 3)))

    # L1 is one short, L2 one over, L3 was not found; three of L1 leave before it is booked.
    count(dairy, "YOG", ("L1", 4), ("L2", 6), between=sell)
    assert by_lot(dairy) == {"L1": {"BER": 1}, "L2": {"BER": 6}}
    assert dairy.units("BER", "YOG") == {"available": 7}


def test_units_of_an_expired_lot_that_a_count_finds_are_held_back(dairy: Shop) -> None:
    stock_lot(dairy, "OLD", 2, -1)
    stock_lot(dairy, "NEW", 4, 30)
    count(dairy, "YOG", ("OLD", 5), ("NEW", 3))
    assert dairy.units("BER", "YOG") == {"available": 3, "quality_hold": 5}
    count(dairy, "YOG", ("OLD", 1), ("NEW", 3))
    assert dairy.units("BER", "YOG") == {"available": 3, "quality_hold": 1}


def test_a_count_asks_for_the_lot_or_the_serial_number(dairy: Shop) -> None:
    track_article(dairy.runtime, "CAM", "serial", person=PERSON)
    number = create_count(dairy.runtime, "BER", person=PERSON, skus=["YOG", "CAM"], assignee="Bo")
    start_count(dairy.runtime, number, person=PERSON)
    for code, units, said in (
        ("YOG", 2, "which lot"),
        ("CAM", 2, "each unit with its own"),
        ("CAM", 1, "which one was found"),
    ):
        with pytest.raises(NotDoneError, match=said):
            enter_count(dairy.runtime, number, code, units, person="Bo")
    enter_count(dairy.runtime, number, "YOG", 0, person="Bo")
    review_count(dairy.runtime, number, person=PERSON)
    with pytest.raises(NotDoneError, match="count them and enter 0: CAM"):
        apply_count(dairy.runtime, number, person=PERSON, uncounted="zero")


def test_lots_travel_with_a_transfer(dairy: Shop) -> None:
    stock_lot(dairy, "LATE", 5, 60)
    stock_lot(dairy, "SOON", 3, 10)
    number = create_transfer(dairy.runtime, "BER", "PAR", {"YOG": 6}, person=PERSON)
    make_ready(dairy.runtime, number, person=PERSON)
    ship_transfer(dairy.runtime, number, person=PERSON)
    assert by_lot(dairy) == {"LATE": {"BER": 2}}
    receive_transfer(dairy.runtime, number, [Received("YOG", 4)], person=PERSON)
    assert by_lot(dairy) == {"SOON": {"PAR": 3}, "LATE": {"BER": 2, "PAR": 1}}
    close_short(dairy.runtime, number, [Missing("YOG", lost=1, back_to_source=1)], person=PERSON)
    assert by_lot(dairy) == {"SOON": {"PAR": 3}, "LATE": {"BER": 3, "PAR": 1}}
    [trace] = dairy.world.read(lambda tx: view.trace(tx, "LATE"))
    assert trace.travels == (number,)


def serials(shop: Shop) -> dict[str, str]:
    query = select(serial_number.c.code, serial_number.c.status).order_by(serial_number.c.code)
    return dict(shop.world.read(lambda tx: [tuple(row) for row in tx.execute(query)]))


def test_the_numbers_that_are_scanned_are_the_ones_that_left(cameras: Shop) -> None:
    stock_serials(cameras, "A1", "A2", "A3")
    order_id = cameras.buy(("CAM", 2))
    for wrong, said in (
        (["A1"], "2 units need 2 numbers"),
        (["A1", "A1"], "twice"),
        (["A1", "X9"], "no serial number X9"),
    ):
        with pytest.raises(NotDoneError, match=said):
            cameras.ship(order_id, serials={"CAM": wrong})
    cameras.ship(order_id, serials={"CAM": ["A1", "A3"]})
    assert serials(cameras) == {"A1": "shipped", "A2": "in_stock", "A3": "shipped"}
    assert left(cameras, order_id) == {"A1": 1, "A3": 1}
    [trace] = cameras.world.read(lambda tx: view.trace(tx, "A3"))
    assert (trace.status, [one.order_id for one in trace.departures]) == ("shipped", [order_id])


def test_numbers_that_were_not_scanned_can_be_recorded_later(cameras: Shop) -> None:
    stock_serials(cameras, "A1", "A2")
    order_id = cameras.buy(("CAM", 1))
    cameras.ship(order_id)
    assert "are not recorded yet" in cameras.said("serials_missing")[0]
    [one] = cameras.world.read(lambda tx: view.left_with(tx, order_id))
    assert one.missing == 1
    fo = cameras.fo(order_id)
    with pytest.raises(NotDoneError, match="no serial number"):
        record_serials(cameras.runtime, order_id, fo, "CAM", ["X9"], person=PERSON)
    with pytest.raises(NotDoneError, match="no MUG is on"):
        record_serials(cameras.runtime, order_id, fo, "MUG", ["A1"], person=PERSON)
    assert record_serials(cameras.runtime, order_id, fo, "CAM", ["A2"], person=PERSON)
    assert not record_serials(cameras.runtime, order_id, fo, "CAM", ["A2"], person=PERSON)
    assert left(cameras, order_id) == {"A2": 1}


def test_a_serial_number_is_in_stock_once(cameras: Shop) -> None:
    stock_serials(cameras, "A1")
    with pytest.raises(NotDoneError, match="A1 is in stock already"):
        stock_serials(cameras, "A1")
    with pytest.raises(NotDoneError, match="not in stock there by our books: A1"):
        adjust_lot(cameras.runtime, "CAM", "PAR", Marks(serials=("A1",)), -1, person=PERSON, reason="x")
    adjust_lot(cameras.runtime, "CAM", "BER", Marks(serials=("A1",)), -1, person=PERSON, reason="broken")
    assert serials(cameras) == {"A1": "scrapped"}
    stock_serials(cameras, "A1")
    assert serials(cameras) == {"A1": "in_stock"}


def test_serial_numbers_travel_with_a_transfer(cameras: Shop) -> None:
    stock_serials(cameras, "A1", "A2", "A3", "A4")
    number = create_transfer(cameras.runtime, "BER", "PAR", {"CAM": 3}, person=PERSON)
    make_ready(cameras.runtime, number, person=PERSON)
    with pytest.raises(NotDoneError, match="3 units need 3 numbers"):
        ship_transfer(cameras.runtime, number, person=PERSON)
    ship_transfer(cameras.runtime, number, person=PERSON, serials={"CAM": ["A1", "A2", "A3"]})
    receive_transfer(cameras.runtime, number, [Received("CAM", 1, serials=("A2",))], person=PERSON)
    with pytest.raises(NotDoneError, match="1 units need 1 numbers, 0"):
        close_short(cameras.runtime, number, [Missing("CAM", lost=1, back_to_source=1)], person=PERSON)
    gone = Missing("CAM", lost=1, back_to_source=1, back_serials=("A1",), lost_serials=("A3",))
    close_short(cameras.runtime, number, [gone], person=PERSON)
    assert serials(cameras) == {"A1": "in_stock", "A2": "in_stock", "A3": "scrapped", "A4": "in_stock"}
    places = dict(cameras.world.read(lambda tx: view.serials_of(tx, "CAM")))
    assert places == {"A1": "BER", "A2": "PAR", "A4": "BER"}


def test_a_count_of_serial_numbers_finds_new_ones_and_writes_off_the_missing(cameras: Shop) -> None:
    stock_serials(cameras, "A1", "A2", "A3")
    number = create_count(cameras.runtime, "BER", person=PERSON, skus=["CAM"], assignee="Bo")
    start_count(cameras.runtime, number, person=PERSON)
    for code in ("A1", "A2", "B7", "A2"):
        enter_count(cameras.runtime, number, "CAM", 1, person="Bo", add=True, serial=code)
    order_id = cameras.buy(("CAM", 1))
    cameras.ship(order_id, serials={"CAM": ["A1"]})
    review_count(cameras.runtime, number, person=PERSON)
    apply_count(cameras.runtime, number, person=PERSON)
    assert serials(cameras) == {"A1": "shipped", "A2": "in_stock", "A3": "scrapped", "B7": "in_stock"}
    assert cameras.units("BER", "CAM") == {"available": 2}


def test_an_audit_names_lots_that_were_written_by_hand(dairy: Shop) -> None:
    stock_lot(dairy, "L1", 5, 10)
    with dairy.world.db.begin() as tx:
        tx.execute(update(lot_position).values(units=7))
    assert dairy.world.read(lots.differences) == [
        {"sku": "YOG", "location": "BER", "tracking": "lot", "on_hand": 5, "in_lots": 7},
        {"sku": "YOG", "lot": "L1", "location": "BER", "units": 7, "moves": 5},
    ]
    found = audit(dairy.runtime)
    assert not found.is_right
    [kept] = dairy.world.read(lambda tx: audits.recent(tx, 1))
    assert [audits.said(one) for one in kept.wrong] == [
        "5 units are on hand and 7 have a lot",
        "lot L1 has 7 units and its moves add up to 5",
    ]
    assert {(one["sku"], one["location"]) for one in kept.wrong} == {("YOG", "BER")}
    with dairy.world.db.begin() as tx:
        tx.execute(update(lot_position).values(units=5))


def test_the_shop_is_told_the_right_figure_at_each_step_of_a_transfer(shop: Shop) -> None:
    assert shop.told("MUG") == 10
    number = create_transfer(shop.runtime, "BER", "PAR", {"MUG": 4}, person=PERSON)
    assert shop.told("MUG") == 10
    make_ready(shop.runtime, number, person=PERSON)
    assert shop.told("MUG") == 6
    ship_transfer(shop.runtime, number, person=PERSON)
    assert shop.told("MUG") == 6
    receive_transfer(shop.runtime, number, [Received("MUG", 1), Received("MUG", 1, "damaged")], person=PERSON)
    assert shop.told("MUG") == 7
    close_short(shop.runtime, number, [Missing("MUG", lost=1, back_to_source=1)], person=PERSON)
    assert shop.told("MUG") == 8
