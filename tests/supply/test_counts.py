"""Stock counts, while the house goes on selling."""

from __future__ import annotations

import threading
from itertools import product

import pytest
from sqlalchemy import select, update

from hub.domain import counts as rules
from hub.flows.operate import NotDoneError, UsedKeyError
from hub.flows.operate import counts as counting
from hub.flows.operate.counts import (
    Entry,
    apply_count,
    assign_count,
    cancel_count,
    create_count,
    enter_count,
    enter_counts,
    recount,
    review_count,
    start_count,
)
from hub.store import catalog
from hub.store.tables import stock_count, stock_count_line, stock_move, variant
from tests.supply.conftest import PERSON, House


def planned(house: House, *skus: str, **how: str) -> str:
    """A count that has begun."""
    number = create_count(house.runtime, "BER", person=PERSON, skus=skus, assignee="Bo", **how)
    start_count(house.runtime, number, person=PERSON)
    return number


def enter(house: House, number: str, code: str, units: int | None, **how: object) -> object:
    return enter_count(house.runtime, number, code, units, person="Bo", **how)


def booked(house: House, number: str, uncounted: str = "") -> bool:
    review_count(house.runtime, number, person=PERSON)
    return apply_count(house.runtime, number, person=PERSON, uncounted=uncounted)


def status(house: House, number: str) -> str:
    return house.ask(select(stock_count.c.status).where(stock_count.c.number == number))[0]


def corrections(house: House) -> dict[str, int | None]:
    query = select(variant.c.sku, stock_count_line.c.applied).join(
        variant, variant.c.id == stock_count_line.c.variant_id
    )
    return house.world.read(lambda tx: {row[0]: row[1] for row in tx.execute(query)})


def test_what_is_sold_after_it_was_counted_does_not_falsify_the_correction(house: House) -> None:
    number = planned(house, "MUG")
    enter(house, number, "MUG", 9)  # the books say 10
    house.sell("MUG", "BER", 4)
    assert house.units("BER", "MUG") == {"available": 6}
    assert booked(house, number)
    assert house.units("BER", "MUG") == {"available": 5}
    assert corrections(house) == {"MUG": -1}


def test_what_is_received_after_it_was_counted_stays(house: House) -> None:
    number = planned(house, "MUG")
    enter(house, number, "MUG", 12)
    house.adjust("MUG", "BER", change=20)
    assert booked(house, number)
    assert house.units("BER", "MUG") == {"available": 32}


def test_what_was_sold_before_it_was_counted_is_not_missed(house: House) -> None:
    number = planned(house, "MUG")
    house.sell("MUG", "BER", 4)
    enter(house, number, "MUG", 6)
    assert booked(house, number)
    assert corrections(house) == {"MUG": 0}


def counted_again(house: House, number: str, sku: str, units: int) -> None:
    recount(house.runtime, number, [], person=PERSON)
    start_count(house.runtime, number, person=PERSON)
    enter(house, number, sku, units)
    booked(house, number)


def test_two_counts_that_find_the_same_shortage_book_it_once(house: House) -> None:
    first, second = planned(house, "MUG"), planned(house, "MUG")
    enter(house, first, "MUG", 8)  # the books say 10
    enter(house, second, "MUG", 8)
    assert booked(house, first)
    with pytest.raises(NotDoneError, match=r"to be counted once more.*MUG"):
        booked(house, second)
    assert (house.units("BER", "MUG"), status(house, second)) == ({"available": 8}, "review")
    counted_again(house, second, "MUG", 8)
    assert (house.units("BER", "MUG"), status(house, second)) == ({"available": 8}, "applied")


def test_what_a_person_has_set_since_it_was_counted_is_not_corrected_once_more(house: House) -> None:
    number = planned(house, "MUG", "TEE")
    enter(house, number, "MUG", 8)
    enter(house, number, "TEE", 4)
    house.adjust("MUG", "BER", set_to=8)
    before = house.units("BER", "TEE")["available"]
    with pytest.raises(NotDoneError, match="MUG; everything else is booked"):
        booked(house, number)
    assert house.units("BER", "MUG") == {"available": 8}
    assert house.units("BER", "TEE") == {"available": 4} != {"available": before}
    with pytest.raises(NotDoneError, match="counted once more"):
        apply_count(house.runtime, number, person=PERSON)
    with pytest.raises(NotDoneError, match="in the books already: TEE"):
        recount(house.runtime, number, ["TEE"], person=PERSON)
    counted_again(house, number, "MUG", 7)
    assert (house.units("BER", "MUG"), status(house, number)) == ({"available": 7}, "applied")


def test_each_batch_of_a_large_count_leaves_out_what_was_corrected_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "BATCH", 1)
    number = planned(house, "CAP", "MUG", "TEE")
    for sku, units in (("CAP", 1), ("MUG", 8), ("TEE", 4)):
        enter(house, number, sku, units)
    house.adjust("MUG", "BER", set_to=8)
    with pytest.raises(NotDoneError, match="MUG; everything else is booked"):
        booked(house, number)
    assert corrections(house) == {"CAP": 1, "MUG": None, "TEE": -1}


def test_a_figure_that_somebody_confirmed_since_it_was_counted_leaves_the_correction(house: House) -> None:
    number = planned(house, "MUG")
    enter(house, number, "MUG", 8)
    house.adjust("MUG", "BER", set_to=10)  # as the books say: nothing is corrected
    house.adjust("MUG", "BER", change=5)
    assert booked(house, number)
    assert house.units("BER", "MUG") == {"available": 13}


def test_what_was_set_before_it_was_counted_is_counted_as_usual(house: House) -> None:
    number = planned(house, "MUG")
    house.adjust("MUG", "BER", set_to=9)
    enter(house, number, "MUG", 8)
    assert booked(house, number)
    assert house.units("BER", "MUG") == {"available": 8}


def test_promised_units_that_are_gone_show_as_oversold(house: House) -> None:
    house.sell("MUG", "BER", 8, leave=False)
    number = planned(house, "MUG")
    enter(house, number, "MUG", 5)
    assert booked(house, number)
    assert house.units("BER", "MUG") == {"available": -3, "committed": 8, "oversold": 3}


def test_missing_units_are_taken_from_what_nobody_was_promised(house: House) -> None:
    house.adjust("MUG", "BER", set_to=0)
    house.adjust("MUG", "BER", set_to=3)
    with house.world.db.begin() as tx:
        [mug] = catalog.variants_by_sku(tx, ["MUG"]).values()
        book = counting.StockBook.open(tx, {mug}, house.world.now(), "test")
        position = book.position(catalog.location_by_code(tx, "BER").id, mug)
        for state, units in (("damaged", 2), ("quality_hold", 1), ("committed", 1)):
            book.move(position, units, None, state, kind="adjust", cause=("test", "x"), key=f"more:{state}")
        book.flush()
    number = planned(house, "MUG")
    enter(house, number, "MUG", 2)  # of 3 + 2 + 1 + 1
    assert booked(house, number)
    assert house.units("BER", "MUG") == {"damaged": 1, "committed": 1}


def test_a_count_is_applied_once_however_often_it_is_asked_for(house: House) -> None:
    number = planned(house, "MUG", "TEE")
    enter(house, number, "MUG", 11)
    enter(house, number, "TEE", 4)
    assert booked(house, number)
    assert not apply_count(house.runtime, number, person=PERSON)
    assert house.units("BER", "MUG") == {"available": 11}
    assert len(house.ask(select(stock_move.c.id).where(stock_move.c.cause_type == "count"))) == 2


def test_two_people_who_apply_at_the_same_time_book_it_once(house: House) -> None:
    number = planned(house, "MUG")
    enter(house, number, "MUG", 15)
    review_count(house.runtime, number, person=PERSON)
    done: list[bool] = []
    people = [
        threading.Thread(target=lambda: done.append(apply_count(house.runtime, number, person=PERSON)))
        for _ in range(4)
    ]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert sorted(done) == [False, False, False, True]
    assert house.units("BER", "MUG") == {"available": 15}


def test_a_large_count_that_broke_off_goes_on_where_it_stopped(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "BATCH", 1)
    number = planned(house)
    enter(house, number, "MUG", 9)
    enter(house, number, "TEE", 6)
    review_count(house.runtime, number, person=PERSON)
    assert counting._apply_batch(house.runtime, number, PERSON, "", "") == (True, True)
    assert status(house, number) == "review"
    for refused in (lambda: cancel_count(house.runtime, number, person=PERSON), lambda: again(house, number, "MUG")):
        with pytest.raises(NotDoneError, match="in the books already"):
            refused()
    assert apply_count(house.runtime, number, person=PERSON)
    assert corrections(house) == {"MUG": -1, "TEE": 1}
    assert house.units("BER", "MUG") == {"available": 9}
    assert status(house, number) == "applied"


def again(house: House, number: str, *skus: str) -> None:
    recount(house.runtime, number, skus, person=PERSON)


def test_what_nobody_counted_is_left_or_counts_as_zero_and_has_to_be_said(house: House) -> None:
    for choice, tee in (("leave", 5), ("zero", 0)):
        number = planned(house)
        enter(house, number, "MUG", 10)
        review_count(house.runtime, number, person=PERSON)
        with pytest.raises(NotDoneError, match="not counted: 1; say whether"):
            apply_count(house.runtime, number, person=PERSON)
        house.sell("MUG", "BER", 1)
        assert apply_count(house.runtime, number, person=PERSON, uncounted=choice)
        assert house.units("BER", "TEE").get("available", 0) == tee
        house.adjust("MUG", "BER", set_to=10)


def test_goods_that_arrive_during_the_count_are_not_counted_as_zero(house: House) -> None:
    number = planned(house, "MUG", "TEE")
    house.adjust("TEE", "BER", change=30)
    enter(house, number, "MUG", 10)
    booked(house, number, "zero")
    assert house.units("BER", "TEE") == {"available": 30}


def test_goods_that_left_during_the_count_are_not_missed_as_well(house: House) -> None:
    number = planned(house, "MUG", "TEE")
    house.sell("TEE", "BER", 4)
    enter(house, number, "MUG", 10)
    booked(house, number, "zero")
    assert house.units("BER", "TEE") == {}
    assert corrections(house)["TEE"] == -1


def test_a_scanner_adds_one_with_each_beep(house: House) -> None:
    with house.world.db.begin() as tx:
        tx.execute(update(variant).where(variant.c.sku == "MUG").values(barcode="4006381333931"))
    number = planned(house, "MUG")
    for _ in range(3):
        enter(house, number, "4006381333931", 1, add=True)
    assert enter(house, number, "MUG", 1, add=True, entry="beep").counted == 4
    assert enter(house, number, "MUG", 1, add=True, entry="boop").counted == 5
    assert enter(house, number, "MUG", 1, add=True, entry="beep").status == "repeated"
    with pytest.raises(UsedKeyError):
        enter(house, number, "MUG", 2, add=True, entry="beep")
    assert enter(house, number, "MUG", 7).counted == 7, "a figure replaces what was scanned"


def test_an_article_that_moves_between_two_scans_is_counted_once_more(house: House) -> None:
    number = planned(house, "MUG")
    enter(house, number, "MUG", 3, add=True)
    house.sell("MUG", "BER", 1)
    enter(house, number, "MUG", 6, add=True)
    review_count(house.runtime, number, person=PERSON)
    with pytest.raises(NotDoneError, match="moved or were corrected since they were counted: MUG"):
        apply_count(house.runtime, number, person=PERSON)
    again(house, number)
    start_count(house.runtime, number, person=PERSON)
    enter(house, number, "MUG", 9)
    assert booked(house, number)
    assert corrections(house) == {"MUG": 0}


def test_selected_articles_are_counted_once_more_and_the_others_keep_their_figure(house: House) -> None:
    number = planned(house)
    enter(house, number, "MUG", 1)
    enter(house, number, "TEE", 5)
    review_count(house.runtime, number, person=PERSON)
    again(house, number, "MUG")
    assert status(house, number) == "recount"
    start_count(house.runtime, number, person=PERSON)
    with pytest.raises(NotDoneError, match="TEE is not to be counted again"):
        enter(house, number, "TEE", 4)
    enter(house, number, "MUG", 10)
    assert booked(house, number)
    assert corrections(house) == {"MUG": 0, "TEE": 0}


def test_a_count_without_any_figure_is_not_reviewed(house: House) -> None:
    number = planned(house, "CAP")
    with pytest.raises(NotDoneError, match="nothing was counted yet"):
        review_count(house.runtime, number, person=PERSON)


def test_each_row_of_a_file_has_its_own_result_and_the_file_counts_once(house: House) -> None:
    number = planned(house)
    rows = [
        Entry(1, "MUG", 4),
        Entry(2, "NIX", 1),
        Entry(3, "TEE", None),
        Entry(4, "MUG", 5),
        Entry(5, "", 1),
        Entry(6, "CAP", 2),
    ]
    done = enter_counts(house.runtime, number, rows, person="Bo", entry="file-1")
    assert [one.status for one in done] == ["counted", "error", "error", "counted", "error", "counted"]
    assert (done[0].counted, done[5].counted) == (9, 2), "rows of one article add up"
    house.sell("MUG", "BER", 2)
    repeated = enter_counts(house.runtime, number, rows, person="Bo", entry="file-1")
    assert [one.status for one in repeated] == ["repeated", "error", "error", "repeated", "error", "repeated"]
    booked(house, number, "leave")
    assert corrections(house) == {"MUG": -1, "TEE": None, "CAP": 2}
    assert house.units("BER", "CAP") == {"available": 2}, "what nobody expected was found"


def test_a_count_is_of_named_articles_of_a_prefix_or_of_all_that_is_there(house: House) -> None:
    def articles(number: str) -> list[str]:
        query = (
            select(variant.c.sku)
            .join(stock_count_line, stock_count_line.c.variant_id == variant.c.id)
            .join(stock_count, stock_count.c.id == stock_count_line.c.stock_count_id)
            .where(stock_count.c.number == number)
            .order_by(variant.c.sku)
        )
        return house.ask(query)

    def new(**how: object) -> str:
        return create_count(house.runtime, "BER", person=PERSON, **how)

    assert articles(new()) == ["MUG", "TEE"]
    assert articles(new(prefix="MU")) == ["MUG"]
    assert articles(new(skus=["CAP", "MUG", "CAP"])) == ["CAP", "MUG"]
    assert new(key="k") == new(key="k")
    for said, how in (
        ("nothing at BER", {"prefix": "XX"}),
        ("no article NIX", {"skus": ["NIX"]}),
    ):
        with pytest.raises(NotDoneError, match=said):
            new(**how)
    with pytest.raises(NotDoneError, match="no location"):
        create_count(house.runtime, "MOON", person=PERSON)
    with pytest.raises(NotDoneError, match="who is to count"):
        assign_count(house.runtime, new(), " ", person=PERSON)
    with pytest.raises(NotDoneError, match="no count 'SC-0'"):
        start_count(house.runtime, "SC-0", person=PERSON)


WAYS = {
    "draft": (),
    "assigned": ("assigned",),
    "counting": ("assigned", "counting"),
    "review": ("assigned", "counting", "review"),
    "recount": ("assigned", "counting", "review", "recount"),
    "applied": ("assigned", "counting", "review", "applied"),
    "cancelled": ("cancelled",),
}
REPEATED = {"counting", "review", "applied", "cancelled"}  # asked for again they do nothing


def step(house: House, number: str, target: str) -> bool | None:
    match target:
        case "assigned":
            return assign_count(house.runtime, number, "Bo", person=PERSON)
        case "counting":
            done = start_count(house.runtime, number, person=PERSON)
            if done:
                enter(house, number, "MUG", 10)
            return done
        case "review":
            return review_count(house.runtime, number, person=PERSON)
        case "recount":
            return again(house, number, "MUG")
        case "applied":
            return apply_count(house.runtime, number, person=PERSON)
        case _:
            return cancel_count(house.runtime, number, person=PERSON)


def test_from_every_status_only_the_listed_steps_are_done(house: House) -> None:
    for start, target in product(rules.NEXT, rules.NEXT):
        if target == "draft":
            continue
        number = create_count(house.runtime, "BER", person=PERSON, skus=["MUG"])
        for one in WAYS[start]:
            step(house, number, one)
        assert status(house, number) == start
        if start == target and start in REPEATED:
            assert step(house, number, target) is False
        elif target in rules.NEXT[start]:
            step(house, number, target)
            assert status(house, number) == target
        elif (start, target) != ("assigned", "assigned"):
            allowed = ", ".join(rules.NEXT[start]) or "nothing, it is final"
            with pytest.raises(NotDoneError, match=f"{start} cannot become {target}; next can be: {allowed}$"):
                step(house, number, target)


def test_nothing_is_entered_while_nobody_counts(house: House) -> None:
    for start in set(rules.NEXT) - {"counting"}:
        number = create_count(house.runtime, "BER", person=PERSON, skus=["MUG"])
        for one in WAYS[start]:
            step(house, number, one)
        with pytest.raises(NotDoneError, match=f"the count is {start}, so nothing can be entered"):
            enter(house, number, "MUG", 1)
