"""Goods that move between our own locations."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from hub.domain import transfers as rules
from hub.flows.operate import NotDoneError, UsedKeyError
from hub.flows.operate.transfers import (
    Missing,
    Received,
    cancel_transfer,
    change_transfer,
    close_short,
    create_transfer,
    make_ready,
    receive_transfer,
    ship_transfer,
)
from hub.store.tables import location, reservation, stock_move, transfer
from tests.supply.conftest import PERSON, House


def written(house: House, **units: int) -> str:
    return create_transfer(house.runtime, "BER", "PAR", units or {"MUG": 6, "TEE": 2}, person=PERSON)


def shipped(house: House, **units: int) -> str:
    number = written(house, **units)
    make_ready(house.runtime, number, person=PERSON)
    ship_transfer(house.runtime, number, person=PERSON)
    return number


def receive(house: House, number: str, *rows: Received, receipt: str = "") -> bool:
    return receive_transfer(house.runtime, number, rows, person=PERSON, receipt=receipt)


def status(house: House, number: str) -> str:
    return house.ask(select(transfer.c.status).where(transfer.c.number == number))[0]


def sellable(house: House, sku: str) -> int:
    """Units of all locations that may be sold."""
    return sum(house.units(code, sku).get("available", 0) for code in ("BER", "PAR", "ROM"))


def test_goods_are_sold_until_they_are_kept_and_again_when_they_have_arrived(house: House) -> None:
    number = written(house)
    assert sellable(house, "MUG") == 12, "a draft keeps nothing"
    assert make_ready(house.runtime, number, person=PERSON)
    assert house.units("BER", "MUG") == {"available": 4, "reserved": 6}
    assert sellable(house, "MUG") == 6
    assert ship_transfer(house.runtime, number, person=PERSON, carrier="Own van")
    assert house.units("BER", "MUG") == {"available": 4}
    assert house.units("PAR", "MUG") == {"available": 2, "incoming": 6}
    assert sellable(house, "MUG") == 6, "what is on its way is not sold at the destination"
    assert receive(house, number, Received("MUG", 4), Received("TEE", 2))
    assert status(house, number) == "partially_received"
    assert house.units("PAR", "MUG") == {"available": 6, "incoming": 2}
    assert receive(house, number, Received("MUG", 2))
    assert status(house, number) == "received"
    assert house.units("PAR", "MUG") == {"available": 8}
    assert house.units("PAR", "TEE") == {"available": 2}
    assert sellable(house, "MUG") == 12


def test_reserved_units_have_an_owner_until_they_leave_or_are_free_again(house: House) -> None:
    first, second = written(house), written(house, MUG=1)
    for number in (first, second):
        make_ready(house.runtime, number, person=PERSON)
    owners = select(reservation.c.quantity).where(reservation.c.state == "active").order_by(reservation.c.quantity)
    assert house.ask(owners) == [1, 2, 6]
    ship_transfer(house.runtime, first, person=PERSON)
    cancel_transfer(house.runtime, second, person=PERSON)
    states = select(reservation.c.state).order_by(reservation.c.quantity)
    assert house.ask(states) == ["released", "converted", "converted"]


def test_every_step_counts_once_however_often_it_is_asked_for(house: House) -> None:
    number = create_transfer(house.runtime, "BER", "PAR", {"MUG": 6}, person=PERSON, key="one")
    assert create_transfer(house.runtime, "BER", "PAR", {"MUG": 6}, person=PERSON, key="one") == number
    assert make_ready(house.runtime, number, person=PERSON)
    assert not make_ready(house.runtime, number, person=PERSON)
    assert ship_transfer(house.runtime, number, person=PERSON)
    assert not ship_transfer(house.runtime, number, person=PERSON)
    assert receive(house, number, Received("MUG", 2), receipt="van 1")
    assert not receive(house, number, Received("MUG", 2), receipt="van 1")
    with pytest.raises(UsedKeyError):
        receive(house, number, Received("MUG", 1), receipt="van 1")
    with pytest.raises(UsedKeyError):
        create_transfer(house.runtime, "BER", "PAR", {"MUG": 7}, person=PERSON, key="one")
    assert house.units("PAR", "MUG") == {"available": 4, "incoming": 4}
    assert close_short(house.runtime, number, [Missing("MUG", lost=1)], person=PERSON)
    assert not close_short(house.runtime, number, [], person=PERSON)
    assert house.line("MUG") == {"shipped": 6, "received": 2, "lost": 1}


def test_goods_arrive_in_the_condition_they_are_found_in(house: House) -> None:
    number = shipped(house, MUG=6)
    receive(house, number, Received("MUG", 3), Received("MUG", 2, "damaged"), Received("MUG", 1, "to_inspect"))
    assert house.units("PAR", "MUG") == {"available": 5, "damaged": 2, "quality_hold": 1}
    assert status(house, number) == "received"
    with pytest.raises(NotDoneError, match="good, damaged, to_inspect"):
        receive(house, shipped(house, TEE=1), Received("TEE", 1, "wet"))


def test_all_that_is_expected_arrives_once_however_many_people_say_so(house: House) -> None:
    number = shipped(house)
    receive(house, number, Received("MUG", 2))
    assert receive_transfer(house.runtime, number, None, person=PERSON, receipt="van")
    assert not receive_transfer(house.runtime, number, None, person=PERSON, receipt="van")
    with pytest.raises(NotDoneError, match="nothing can arrive"):
        receive_transfer(house.runtime, number, None, person="bo@example.com", receipt="the other")
    assert house.line("MUG") == {"shipped": 6, "received": 6}
    assert house.units("PAR", "MUG") == {"available": 8}
    assert status(house, number) == "received"


def test_what_is_too_much_or_was_never_sent_is_booked_and_named(house: House) -> None:
    number = shipped(house, MUG=6)
    receive(house, number, Received("MUG", 8), Received("CAP", 1))
    assert house.line("MUG") == {"shipped": 6, "received": 6, "over": 2}
    assert house.line("CAP") == {"mis_shipped": 1}
    assert house.units("PAR", "MUG") == {"available": 10}
    assert house.units("PAR", "CAP") == {"available": 1}
    assert status(house, number) == "received"
    assert [one.split(":")[0] for one in house.said("difference")] == ["MUG", "CAP"]


def test_each_missing_unit_is_lost_or_back_at_the_source_or_still_expected(house: House) -> None:
    number = shipped(house, MUG=6)
    receive(house, number, Received("MUG", 1))
    assert close_short(house.runtime, number, [Missing("MUG", lost=2, back_to_source=1)], person=PERSON)
    assert status(house, number) == "closed_short"
    assert house.line("MUG") == {"shipped": 6, "received": 1, "lost": 2, "back_to_source": 1}
    assert house.units("BER", "MUG") == {"available": 5}
    assert house.units("PAR", "MUG") == {"available": 3, "incoming": 2}, "two are still expected"
    receive(house, number, Received("MUG", 1))
    assert status(house, number) == "closed_short", "what comes late is booked, and the transfer stays closed"
    assert close_short(house.runtime, number, [Missing("MUG", lost=1)], person=PERSON)
    assert house.units("PAR", "MUG") == {"available": 4}
    assert house.line("MUG") == {"shipped": 6, "received": 2, "lost": 3, "back_to_source": 1}
    with pytest.raises(NotDoneError, match="0 units are missing"):
        close_short(house.runtime, number, [Missing("MUG", lost=1)], person=PERSON)


def test_fewer_may_leave_than_were_kept_and_the_others_are_free_again(house: House) -> None:
    number = written(house)
    make_ready(house.runtime, number, person=PERSON)
    with pytest.raises(NotDoneError, match="7 cannot leave"):
        ship_transfer(house.runtime, number, person=PERSON, units={"MUG": 7})
    with pytest.raises(NotDoneError, match="not on this transfer: CAP"):
        ship_transfer(house.runtime, number, person=PERSON, units={"CAP": 1})
    with pytest.raises(NotDoneError, match="nothing would leave"):
        ship_transfer(house.runtime, number, person=PERSON, units={})
    ship_transfer(house.runtime, number, person=PERSON, units={"MUG": 5})
    assert house.units("BER", "MUG") == {"available": 5}
    assert house.units("BER", "TEE") == {"available": 5}
    receive(house, number, Received("MUG", 5))
    assert status(house, number) == "received"


def test_what_is_not_free_is_not_kept_and_everything_short_is_named(house: House) -> None:
    number = written(house, MUG=11, TEE=5, CAP=1)
    with pytest.raises(NotDoneError, match="CAP: 1 wanted, 0 free; MUG: 11 wanted, 10 free"):
        make_ready(house.runtime, number, person=PERSON)
    assert house.units("BER", "TEE") == {"available": 5}, "nothing of it is kept"
    change_transfer(house.runtime, number, {"TEE": 5}, person=PERSON)
    assert make_ready(house.runtime, number, person=PERSON)
    with pytest.raises(NotDoneError, match="only a draft"):
        change_transfer(house.runtime, number, {"TEE": 1}, person=PERSON)


def test_a_transfer_that_is_cancelled_gives_its_units_back(house: House) -> None:
    number = written(house)
    make_ready(house.runtime, number, person=PERSON)
    assert cancel_transfer(house.runtime, number, person=PERSON, reason="no van")
    assert not cancel_transfer(house.runtime, number, person=PERSON)
    assert house.units("BER", "MUG") == {"available": 10}
    assert cancel_transfer(house.runtime, written(house), person=PERSON), "a draft can be cancelled as well"


def test_a_transfer_needs_two_places_that_take_part_and_articles_that_exist(house: House) -> None:
    def new(source: str, destination: str, **units: int) -> str:
        return create_transfer(house.runtime, source, destination, units, person=PERSON)

    empty = new("BER", "PAR")
    for said, ask in (
        ("no location 'MOON'", lambda: new("BER", "MOON", MUG=1)),
        ("to another", lambda: new("BER", "BER", MUG=1)),
        ("no article NIX", lambda: new("BER", "PAR", NIX=1)),
        ("at least 1 unit", lambda: new("BER", "PAR", MUG=0)),
        ("there is nothing on it", lambda: make_ready(house.runtime, empty, person=PERSON)),
        ("no transfer 'TR-0'", lambda: make_ready(house.runtime, "TR-0", person=PERSON)),
    ):
        with pytest.raises(NotDoneError, match=said):
            ask()
    with house.world.db.begin() as tx:
        tx.execute(location.update().where(location.c.code == "ROM").values(transfers=False))
    with pytest.raises(NotDoneError, match="ROM takes no part"):
        new("BER", "ROM", MUG=1)


def test_a_refused_receipt_books_nothing_of_it(house: House) -> None:
    number = shipped(house, MUG=6)
    for rows, said in (
        ((Received("MUG", 1), Received("NIX", 1)), "no article 'NIX'"),
        ((Received("MUG", 1), Received("MUG", 0)), "at least 1"),
        ((), "say what arrived"),
        ((Received("MUG", 1, lot="L1"),), "without lots"),
    ):
        with pytest.raises(NotDoneError, match=said):
            receive(house, number, *rows)
    assert house.units("PAR", "MUG") == {"available": 2, "incoming": 6}


# Every transition: the steps as a person asks for them, from every status.

WAYS = {
    "draft": (),
    "ready": ("ready",),
    "in_transit": ("ready", "ship"),
    "partially_received": ("ready", "ship", "some"),
    "received": ("ready", "ship", "all"),
    "closed_short": ("ready", "ship", "close"),
    "cancelled": ("cancel",),
}
LEADS = {"ready": "ready", "ship": "in_transit", "close": "closed_short", "cancel": "cancelled"}
# A step that has been done is not refused, it does nothing.
DONE = {
    "ready": {"ready"},
    "ship": {"in_transit", "partially_received", "received", "closed_short"},
    "close": {"closed_short"},
    "cancel": {"cancelled"},
}


def step(house: House, number: str, name: str) -> bool:
    match name:
        case "ready":
            return make_ready(house.runtime, number, person=PERSON)
        case "ship":
            return ship_transfer(house.runtime, number, person=PERSON)
        case "some":
            return receive(house, number, Received("MUG", 1))
        case "all":
            return receive(house, number, Received("MUG", 2))
        case "close":
            return close_short(house.runtime, number, [], person=PERSON)
        case _:
            return cancel_transfer(house.runtime, number, person=PERSON)


def test_from_every_status_only_the_listed_steps_are_done(house: House) -> None:
    house.adjust("MUG", "BER", set_to=1000)
    for start in rules.NEXT:
        for name, target in LEADS.items():
            number = written(house, MUG=2)
            for one in WAYS[start]:
                step(house, number, one)
            assert status(house, number) == start
            if start in DONE[name]:
                assert not step(house, number, name)
                assert status(house, number) == start
            elif target in rules.NEXT[start]:
                assert step(house, number, name)
                assert status(house, number) == target
            else:
                allowed = ", ".join(rules.NEXT[start]) or "nothing, it is final"
                with pytest.raises(NotDoneError, match=f"{rules.plain(start)} cannot become .*: {allowed}$"):
                    step(house, number, name)


def test_nothing_arrives_on_a_transfer_that_is_not_on_its_way(house: House) -> None:
    for start in set(rules.NEXT) - rules.ARRIVING:
        number = written(house, MUG=2)
        for one in WAYS[start]:
            step(house, number, one)
        with pytest.raises(NotDoneError, match="nothing can arrive"):
            step(house, number, "some")


def test_kept_units_that_turn_out_to_be_gone_do_not_leave(house: House) -> None:
    number = written(house, MUG=6)
    make_ready(house.runtime, number, person=PERSON)
    house.adjust("MUG", "BER", set_to=5)
    assert house.units("BER", "MUG") == {"available": -1, "reserved": 6, "oversold": 1}
    with pytest.raises(NotDoneError, match="6 units wanted"):
        ship_transfer(house.runtime, number, person=PERSON)
    assert ship_transfer(house.runtime, number, person=PERSON, units={"MUG": 5})
    assert house.units("BER", "MUG") == {}
    assert house.units("PAR", "MUG") == {"available": 2, "incoming": 5}


def test_the_ledger_tells_the_whole_way_of_a_unit(house: House) -> None:
    number = shipped(house, TEE=1)
    receive(house, number, Received("TEE", 1))
    query = select(stock_move.c.from_state, stock_move.c.to_state).where(stock_move.c.reason == number)
    assert house.world.read(lambda tx: [tuple(row) for row in tx.execute(query.order_by(stock_move.c.id))]) == [
        ("available", "reserved"),
        ("reserved", "available"),
        ("available", None),
        (None, "incoming"),
        ("incoming", "available"),
    ]
