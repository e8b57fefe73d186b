"""A location's page and queue, and the buttons of an order that is collected."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from hub.flows import operate
from hub.store import catalog
from tests.web.conftest import Site
from tests.web.test_console import order_id, stocked


def number_in(page: str) -> str:
    return re.findall(r'name="number" value="(FO-[0-9A-Z]+)"', page)[0]


def change(site: Site, code: str, **values: object) -> None:
    with site.world.db.begin() as tx:
        catalog.change_location(tx, catalog.location_by_code(tx, code).id, **values)


@pytest.fixture
def packed(site: Site) -> tuple[str, str]:
    """An order that EAST packs by hand: its id and the code of its place."""
    stocked(site)
    return order_id(site, site.order(("MUG", 1)).name), "EAST"


def test_a_queue_shows_what_is_to_be_done_and_takes_the_answer(site: Site, packed: tuple[str, str]) -> None:
    order, code = packed
    packer, queue = site.signed_in("packer"), f"/fulfillment/queue/{code}"
    page = packer.get(queue).text
    assert "It is damaged" in page
    assert "The units asked for are booked as damaged" in page
    form = {"number": number_in(page), "queue": code}
    answered = packer.submit(f"/fulfillment/{order}/accept", form, queue)
    assert answered.status_code == 302
    assert answered.headers["Location"] == queue
    assert "In progress" in packer.get(queue).text
    packer.submit(f"/fulfillment/{order}/ship", form, queue)
    assert "Nothing to do here" in packer.get(queue).text


def test_a_refusal_of_several_articles_says_which_one_it_is(site: Site) -> None:
    site.world.location("EAST", "US")
    site.world.stock("location MUG TEE\nEAST 5 5")
    order = order_id(site, site.order(("MUG", 2), ("TEE", 1)).name)
    packer, queue = site.signed_in("packer"), "/fulfillment/queue/EAST"
    page = packer.get(queue).text
    assert "has to be said where an article is missing" in page
    form = {"number": number_in(page), "queue": "EAST", "reason": "damaged"}
    packer.submit(f"/fulfillment/{order}/refuse", form, queue)
    assert "Say of which of MUG, TEE" in packer.get(queue).text
    packer.submit(f"/fulfillment/{order}/refuse", {**form, "units:MUG": "a few"}, queue)
    assert "&#39;a few&#39; is no number of units" in packer.get(queue).text
    packer.submit(f"/fulfillment/{order}/refuse", {**form, "units:MUG": "2", "units:TEE": ""}, queue)
    assert "It is damaged (2 x MUG)" in packer.get(f"/orders/{order}").text


def test_a_viewer_may_not_answer_for_a_place(site: Site, packed: tuple[str, str]) -> None:
    order, code = packed
    assert site.signed_in("viewer").get(f"/fulfillment/queue/{code}").status_code == 403
    assert "Refuse FO-" not in site.signed_in("viewer").get(f"/orders/{order}").text


def test_a_queue_of_nowhere_is_not_found(site: Site) -> None:
    assert site.signed_in("packer").get("/fulfillment/queue/NOWHERE").status_code == 404


def test_a_location_is_set_and_wrong_fields_are_named(site: Site, packed: tuple[str, str]) -> None:
    manager, path = site.signed_in("manager"), f"/locations/{packed[1]}"
    given = {"name": "East", "zone": "Europe/Berlin", "active": "on", "ships": "on", "capacity_per_day": "40"}
    wrong = manager.submit(path, {**given, "calendar": '{"cut_off": {"mon": "25:00"}}', "zone": "Moon/Sea"}, path)
    assert wrong.status_code == 422
    assert "calendar/cut_off/mon" in wrong.text
    assert "no time zone" in wrong.text
    assert manager.submit(path, {**given, "calendar": '{"cut_off": {"mon": "14:00"}}'}, path).status_code == 302
    row = site.world.read(lambda tx: catalog.location_by_code(tx, packed[1]))
    assert (row.zone, row.capacity_per_day, row.calendar) == ("Europe/Berlin", 40, {"cut_off": {"mon": "14:00"}})


def test_a_location_is_taken_out_of_action_and_its_work_goes_elsewhere(site: Site, packed: tuple[str, str]) -> None:
    order, code = packed
    ops, path = site.signed_in("ops"), f"/locations/{code}"
    until = (site.world.now().replace(year=site.world.now().year + 1)).strftime("%Y-%m-%dT%H:%M")
    ops.submit(f"{path}/outage", {"until": until, "reason": "flood"}, path)
    assert "Out of action until" in ops.get(path).text
    assert site.world.on_shelf()[code]["MUG"] == (5, 5, 0)
    assert f"{code} is out of action" in ops.get(f"/orders/{order}").text
    ops.submit(f"{path}/outage", {}, path)
    assert "Out of action until (UTC)" in ops.get(path).text


def test_goods_at_the_counter_are_given_more_time(site: Site, packed: tuple[str, str]) -> None:
    order, code = packed
    change(site, code, picks_up=True)
    operate.collect_elsewhere(site.world.runtime, order, code, person="mia@example.com")
    packer, queue = site.signed_in("packer"), f"/fulfillment/queue/{code}"
    form = {"number": number_in(packer.get(queue).text), "queue": code}
    packer.submit(f"/fulfillment/{order}/ready", form, queue)
    day = site.world.now().date() + timedelta(days=30)
    packer.submit(f"/fulfillment/{order}/collect-until", {**form, "day": "soon"}, queue)
    assert "Say until which day" in packer.get(queue).text
    packer.submit(f"/fulfillment/{order}/collect-until", {**form, "day": day.isoformat()}, queue)
    page = packer.get(queue).text
    assert f"It may be collected until the end of {day}" in page
    assert f"until {day + timedelta(days=1)} 00:00 UTC" in page


def test_a_location_that_is_asked_to_stop_answers_in_its_queue(site: Site, packed: tuple[str, str]) -> None:
    order, code = packed
    packer, queue = site.signed_in("packer"), f"/fulfillment/queue/{code}"
    form = {"number": number_in(packer.get(queue).text), "queue": code}
    packer.submit(f"/fulfillment/{order}/accept", form, queue)
    operate.cancel_order(site.world.runtime, order, "changed my mind", person="mia@example.com")
    page = packer.get(queue).text
    assert "to be stopped: do not send it" in page
    assert "Refuse FO-" not in page
    packer.submit(f"/fulfillment/{order}/too-late", form, queue)
    page = packer.get(queue).text
    assert "on hold (cancel too late)" in page
    assert "Too late to stop" not in page
    packer.submit(f"/fulfillment/{order}/stopped", form, queue)
    page = packer.get(queue).text
    assert "It is stopped." in page
    assert "Nothing to do here" in page
    assert site.world.on_shelf()[code]["MUG"] == (5, 5, 0)
