"""Stock as a person handles it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.flows import operate
from hub.flows.operate import ImportRow, NotDoneError, UsedKeyError, stock_file
from hub.store.tables import location, stock_move, stock_position
from tests.operate.conftest import PERSON, Desk


def test_a_correction_is_booked_once_with_its_reason(desk: Desk) -> None:
    for _ in range(2):
        operate.adjust_stock(desk.runtime, "MUG", "WEST", change=-3, reason="broken", key="damage-17", person=PERSON)
    assert desk.world.on_shelf()["WEST"]["MUG"] == (7, 7, 0)
    query = select(stock_move.c.actor).where(stock_move.c.reason == "broken")
    assert desk.ask(query) == [f"person:{PERSON}"]


def test_a_correction_that_changed_nothing_changes_nothing_when_it_is_repeated(desk: Desk) -> None:
    def count() -> operate.RowResult:
        return operate.adjust_stock(desk.runtime, "MUG", "WEST", set_to=10, reason="count", key="c-1", person=PERSON)

    assert count().status == "unchanged"
    operate.adjust_stock(desk.runtime, "MUG", "WEST", change=-4, reason="broken", person=PERSON)
    again = count()
    assert (again.status, again.before, again.after) == ("repeated", 10, 10)
    assert desk.world.on_shelf()["WEST"]["MUG"] == (6, 6, 0)


def test_the_same_key_with_another_request_is_an_error_and_books_nothing(desk: Desk) -> None:
    def adjust(**how: int) -> None:
        operate.adjust_stock(desk.runtime, "MUG", "WEST", reason="broken", key="k", person=PERSON, **how)

    def move(units: int, key: str) -> operate.StockMoved:
        states = ("available", "damaged")
        return operate.move_stock(desk.runtime, "MUG", "WEST", units, *states, reason="broken", key=key, person=PERSON)

    adjust(change=-1)
    for other in (lambda: adjust(change=-5), lambda: adjust(set_to=9), lambda: move(1, "k")):
        with pytest.raises(UsedKeyError, match="came before with another request"):
            other()
    first = move(2, "m")
    operate.adjust_stock(desk.runtime, "MUG", "WEST", change=3, reason="found", person=PERSON)
    again = move(2, "m")
    assert (again.status, again.on_hand, again.states) == ("repeated", first.on_hand, first.states)
    with pytest.raises(UsedKeyError):
        move(3, "m")
    assert desk.world.on_shelf()["WEST"]["MUG"] == (12, 10, 0)


def test_a_key_under_which_nothing_was_booked_may_be_used_again(desk: Desk) -> None:
    def adjust(change: int) -> operate.RowResult:
        return operate.adjust_stock(desk.runtime, "MUG", "WEST", change=change, reason="broken", key="k", person=PERSON)

    with pytest.raises(NotDoneError, match="10 units"):
        adjust(-11)
    assert adjust(-1).status == "changed"


def test_rows_that_could_not_be_booked_are_tried_again_when_a_file_is_repeated(desk: Desk) -> None:
    rows = [ImportRow(1, "MUG", "WEST", -2, is_change=True), ImportRow(2, "LATE", "WEST", 3)]

    def book(**how: bool) -> list[str]:
        done = operate.import_stock(desk.runtime, rows, person=PERSON, reason="count", key="f", **how)
        return [one.status for one in done]

    assert book() == ["changed", "error"]
    assert book(dry_run=True) == ["repeated", "error"]
    assert book(create_articles=True) == ["repeated", "changed"]
    assert book() == ["repeated", "repeated"]
    shelf = desk.world.on_shelf()["WEST"]
    assert (shelf["MUG"], shelf["LATE"]) == ((8, 8, 0), (3, 3, 0))


def test_long_keys_that_begin_alike_are_different_keys(desk: Desk) -> None:
    for last in "12":
        operate.adjust_stock(
            desk.runtime, "MUG", "WEST", change=-1, reason="broken", key="k" * 200 + last, person=PERSON
        )
    assert desk.world.on_shelf()["WEST"]["MUG"] == (8, 8, 0)


def test_one_request_that_comes_ten_times_at_once_books_once(desk: Desk) -> None:
    found: list[str] = []

    def book() -> None:
        done = operate.adjust_stock(desk.runtime, "MUG", "WEST", change=-1, reason="x", key="k", person=PERSON)
        found.append(done.status)

    threads = [threading.Thread(target=book) for _ in range(10)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(found) == ["changed", *["repeated"] * 9]
    assert desk.world.on_shelf()["WEST"]["MUG"] == (9, 9, 0)


def test_goods_that_are_gone_are_gone_even_when_they_were_promised(desk: Desk) -> None:
    desk.buy(("MUG", 4))
    operate.adjust_stock(desk.runtime, "MUG", "WEST", set_to=3, reason="count", person=PERSON)
    assert desk.world.on_shelf()["WEST"]["MUG"] == (3, -1, 4)
    assert 1 in desk.ask(select(stock_position.c.oversold))


def test_there_are_never_fewer_than_none(desk: Desk) -> None:
    with pytest.raises(NotDoneError, match="10 units"):
        operate.adjust_stock(desk.runtime, "MUG", "WEST", change=-11, reason="count", person=PERSON)
    with pytest.raises(NotDoneError, match="either"):
        operate.adjust_stock(desk.runtime, "MUG", "WEST", reason="count", person=PERSON)


def test_each_row_of_an_import_has_its_own_result(desk: Desk) -> None:
    rows = [
        ImportRow(1, "MUG", "WEST", 12),
        ImportRow(2, "TEE", "WEST", 5),
        ImportRow(3, "???", "WEST", 5),
        ImportRow(4, "MUG", "MOON", 5),
        ImportRow(5, "MUG", "EAST", None),
        ImportRow(6, "MUG", "WEST", -1, is_change=True),
    ]
    trial = operate.import_stock(desk.runtime, rows, person=PERSON, reason="count", dry_run=True)
    assert desk.world.on_shelf()["WEST"]["MUG"] == (10, 10, 0), "a dry run books nothing"
    done = operate.import_stock(desk.runtime, rows, person=PERSON, reason="count", key="file-1")
    assert trial == done
    assert [one.status for one in done] == ["changed", "unchanged", "error", "error", "error", "changed"]
    assert (done[0].before, done[0].after) == (10, 12)
    assert desk.world.on_shelf()["WEST"]["MUG"] == (11, 11, 0)
    again = operate.import_stock(desk.runtime, rows, person=PERSON, reason="count", key="file-1")
    assert [one.status for one in again] == ["repeated", "repeated", "error", "error", "error", "repeated"]
    assert [(one.before, one.after) for one in again] == [(one.before, one.after) for one in done]
    assert desk.world.on_shelf()["WEST"]["MUG"] == (11, 11, 0)


def test_two_rows_that_state_one_position_are_both_left_out(desk: Desk) -> None:
    """A file with a row for each bin: whichever came last would be told to every channel as all there is."""
    rows = [ImportRow(1, "MUG", "WEST", 7), ImportRow(2, "TEE", "WEST", 6), ImportRow(3, "MUG", "WEST", 9)]
    done = operate.import_stock(desk.runtime, rows, person=PERSON, reason="count")
    assert [one.status for one in done] == ["error", "changed", "error"]
    assert done[0].message == "MUG at WEST stands in several rows: add their units up in one."
    assert desk.world.on_shelf()["WEST"]["MUG"] == (10, 10, 0)
    changes = [ImportRow(number, "MUG", "WEST", 1, is_change=True) for number in (1, 2)]
    assert [one.after for one in operate.import_stock(desk.runtime, changes, person=PERSON, reason="found")] == [11, 12]


def test_no_figure_is_booked_without_a_reason(desk: Desk) -> None:
    with pytest.raises(NotDoneError, match="say why"):
        operate.adjust_stock(desk.runtime, "MUG", "WEST", change=-1, reason="  ", person=PERSON)
    assert desk.world.on_shelf()["WEST"]["MUG"] == (10, 10, 0)


def test_a_figure_that_is_a_slip_is_left_out_and_the_other_rows_are_booked(desk: Desk) -> None:
    rows = [
        ImportRow(1, "TEE", "WEST", 7),
        ImportRow(2, "MUG", "WEST", 99_999_999_999),
        ImportRow(3, "MUG", "WEST", 10_000_000, is_change=True),
        ImportRow(4, "MUG", "WEST", -99_999_999_999, is_change=True),
    ]
    done = operate.import_stock(desk.runtime, rows, person=PERSON, reason="count")
    assert [one.status for one in done] == ["changed", "error", "error", "error"]
    assert done[1].message == "At most 10,000,000 units of an article lie in one place."
    assert desk.world.on_shelf()["WEST"] == {"MUG": (10, 10, 0), "TEE": (7, 7, 0)}
    with pytest.raises(NotDoneError, match="1 to 10,000,000"):
        operate.move_stock(
            desk.runtime, "MUG", "WEST", 99_999_999_999, None, "available", reason="found", person=PERSON
        )
    with pytest.raises(NotDoneError, match="1 to 10,000,000"):
        operate.reserve(desk.runtime, [operate.ReserveLine("MUG", 99_999_999_999)], ("checkout", "cart"), person=PERSON)


def read(content: bytes, tmp_path: Path) -> list[tuple[str, int | None, int | None]]:
    file = tmp_path / "stock.csv"
    file.write_bytes(content)
    return [(row.sku, row.units, row.expected) for row in stock_file.rows_of(file)]


def test_a_figure_in_a_file_is_plain_digits(tmp_path: Path) -> None:
    cells = ["12", " 7 ", "+3", "-4", "1_0", "1e2", "12.0", "٣", "", "9" * 5000]
    text = "sku,location,on_hand\n" + "\n".join(f"MUG,BER,{cell}" for cell in cells)
    found = [units for _, units, _ in read(text.encode(), tmp_path)]
    assert found == [12, 7, 3, -4, None, None, None, None, None, None]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("sku,location,on_hand\nMÜG,BER,1\n".encode("latin-1"), "UTF-8"),
        ("sku,location,on_hand\nMÜG,BER,1\n".encode("utf-16"), "UTF-8"),
        (b"sku,location,on_hand\n" + b"x" * 200_000, "CSV"),
        (b"article,place\n", "columns"),
        (b"sku,location,on_hand,change\nMUG,BER,40,3\n", "both on_hand and change"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(NotDoneError, match=words):
        read(content, tmp_path)


def test_columns_may_be_called_as_the_console_calls_them(tmp_path: Path) -> None:
    assert read(b"\xef\xbb\xbfSKU;Location;On hand\r\nMUG;BER;4\r\n", tmp_path) == [("MUG", 4, None)]


def test_a_delivery_goes_to_the_orders_that_wait_for_it(desk: Desk) -> None:
    desk.buy(("TEE", 7))
    operate.adjust_stock(desk.runtime, "TEE", "WEST", change=4, reason="delivery", person=PERSON)
    desk.world.run()
    assert desk.world.on_shelf()["WEST"]["TEE"] == (9, 2, 7)


def test_a_location_is_added_once(desk: Desk) -> None:
    with pytest.raises(NotDoneError, match="WEST"):
        operate.add_location(desk.runtime, "WEST", person=PERSON)
    assert desk.ask(select(location.c.code).order_by(location.c.code)) == ["EAST", "WEST"]


def many(units: int, *, zero: int) -> list[operate.ImportRow]:
    """Thirty articles at WEST with so many units each, the first of them with none."""
    return [operate.ImportRow(n, f"ROW-{n}", "WEST", 0 if n <= zero else units) for n in range(1, 31)]


def test_a_file_that_empties_most_shelves_is_booked_only_when_somebody_has_looked(desk: Desk) -> None:
    first = many(4, zero=0)
    operate.import_stock(desk.runtime, first, person=PERSON, reason="count", create_articles=True)
    emptied = many(4, zero=28)
    with pytest.raises(NotDoneError, match=r"28 of 30 articles with stock would go to nothing \(93 %\)"):
        operate.import_stock(desk.runtime, emptied, person=PERSON, reason="count")
    assert {one.status for one in operate.import_stock(desk.runtime, first, person=PERSON, reason="again")} == {
        "unchanged"
    }, "nothing was booked"
    tried = operate.import_stock(desk.runtime, emptied, person=PERSON, reason="count", dry_run=True)
    assert sum(one.status == "changed" for one in tried) == 28
    done = operate.import_stock(desk.runtime, emptied, person=PERSON, reason="count", accept_emptying=True)
    assert sum(one.status == "changed" for one in done) == 28


def test_a_file_that_empties_a_few_shelves_is_booked_at_once(desk: Desk) -> None:
    operate.import_stock(desk.runtime, many(4, zero=0), person=PERSON, reason="count", create_articles=True)
    done = operate.import_stock(desk.runtime, many(4, zero=12), person=PERSON, reason="count")
    assert sum(one.status == "changed" for one in done) == 12
