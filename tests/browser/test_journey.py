"""A first day with the console, in a real browser: from the one-time link to the first problem solved."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hub.store import catalog, connections
from tests.browser.conftest import PASSWORD, Town

pytestmark = pytest.mark.browser


def come_in(page: Any, town: Town) -> None:
    page.goto(town.first_run_link())
    page.get_by_label("Your name").fill("Anna")
    page.get_by_label("E-mail").fill("anna@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    page.wait_for_url("**/orders/")


def connect_shop(page: Any, town: Town) -> str:
    """Connect the shop by its form; the connection's id."""
    page.goto(f"{town.url}/connections/add/shopify")
    page.get_by_label("Name", exact=True).fill("Web shop")
    page.get_by_label("Shop", exact=True).fill(town.shop.shop)
    page.get_by_label("Admin API access token").fill(town.shop.token)
    page.get_by_label("App client secret").fill(town.shop.webhook_secret)
    page.get_by_text("Advanced").click()
    page.get_by_label("Base URL").fill(town.shop.url)
    page.get_by_role("button", name="Test and connect").click()
    page.get_by_role("heading", name="Web shop").wait_for()
    return str(page.url.rsplit("/", 1)[1])


def test_from_the_first_link_to_the_first_problem_solved(page: Any, town: Town) -> None:
    come_in(page, town)
    page.get_by_role("link", name="Connect a channel").click()
    page.get_by_role("link", name="Connect Shopify").click()

    # A wrong setting is told beside its field, and the field says so to a screen reader.
    page.get_by_label("Shop", exact=True).fill("demo.example.com")
    page.get_by_label("Admin API access token").fill("some-token")
    page.get_by_role("button", name="Test and connect").click()
    shop = page.get_by_label("Shop", exact=True)
    assert shop.get_attribute("aria-invalid") == "true"
    described = shop.get_attribute("aria-describedby").split()
    assert "does not have the right form" in page.locator(f"#{described[-1]}").inner_text()
    assert page.get_by_label("Admin API access token").input_value() == ""

    connection_id = connect_shop(page, town)
    assert page.get_by_text("is connected").is_visible()
    page.get_by_role("button", name="Test connection").click()
    page.locator("#test").get_by_text("It works").wait_for()

    # The hub's work, which the engine does elsewhere; the shop's MUG is called BECHER here.
    page.goto(f"{town.url}/locations/")
    page.get_by_label("Code", exact=True).fill("EAST")
    page.get_by_label("Country", exact=True).fill("US")
    page.get_by_role("button", name="Add the location").click()
    page.get_by_role("rowheader", name="EAST").wait_for()
    town.world.stock("location BECHER\nEAST 9")
    with town.world.db.begin() as tx:
        place = catalog.location_by_code(tx, "EAST")
        catalog.link_location(tx, connection_id, str(town.shop.state.locations[0].id), place.id)
    number = town.buy(connection_id, ("MUG", 2))
    other = town.buy(connection_id, ("MUG", 1))

    # Search without a mouse.
    page.goto(f"{town.url}/orders/")
    page.keyboard.press("/")
    page.keyboard.type(number.lstrip("#"))
    page.keyboard.press("Enter")
    page.get_by_role("link", name=other, exact=True).wait_for(state="detached")
    assert f"q={number.lstrip('#')}" in page.url
    page.get_by_role("link", name=number, exact=True).click()
    page.get_by_role("heading", name=number).wait_for()
    assert page.get_by_text("Link an article").is_visible()

    # The problem, its solution in place, and both orders go on.
    page.get_by_role("link", name="Problems").click()
    page.get_by_role("link", name="an article is not linked").click()
    page.get_by_label("Our SKU").fill("BECHER")
    page.get_by_role("button", name="Link and go on").click()
    page.get_by_text("2 orders go on").wait_for()
    town.world.run()
    page.reload()
    assert page.get_by_text("EAST because").first.is_visible()
    assert town.world.on_shelf()["EAST"]["BECHER"] == (9, 6, 3)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")


def test_a_parked_delivery_is_read_and_replayed(page: Any, town: Town) -> None:
    come_in(page, town)
    connection_id = connect_shop(page, town)
    token = town.world.read(lambda tx: connections.get(tx, connection_id)).webhook_token
    assert town.shop.deliver(f"{town.url}/in/{connection_id}/{token}", "orders/create", {"id": 7, "odd": True}) == 200
    town.world.run()
    page.goto(f"{town.url}/problems/")
    page.locator("table a").first.click()
    assert page.get_by_label("Body of the newest one").inner_text().count('"odd": true') == 1
    page.get_by_role("button", name="Replay").click()
    page.get_by_text("1 row is handled again").wait_for()


def test_one_box_chooses_every_order_of_the_page(page: Any, town: Town) -> None:
    come_in(page, town)
    connection_id = connect_shop(page, town)
    names = [town.buy(connection_id, ("MUG", 1)) for _ in range(3)]
    page.goto(f"{town.url}/orders/")
    every = page.get_by_label("Choose every order on this page")
    every.check()
    assert all(page.get_by_label(name, exact=True).is_checked() for name in names)
    page.get_by_label(names[0], exact=True).uncheck()
    assert every.evaluate("box => box.indeterminate")
    every.check()
    page.get_by_text("Hold those that are chosen").click()
    page.get_by_label("Why").fill("the carrier is on strike")
    page.get_by_role("button", name="Hold them").click()
    page.get_by_role("heading", name="What became of each").wait_for()
    assert page.locator("#results tbody tr").count() == 3


@pytest.mark.parametrize("width", [1440, 768, 390, 320])
def test_no_page_is_wider_than_its_window(page: Any, town: Town, width: int) -> None:
    come_in(page, town)
    connection_id = connect_shop(page, town)
    town.world.location("EAST", "US")
    town.world.stock("location MUG\nEAST 5")
    town.buy(connection_id, ("MUG", 1))
    town.buy(connection_id, ("TEE", 1))
    page.set_viewport_size({"width": width, "height": 900})
    for address in pages(page, town, connection_id):
        page.goto(f"{town.url}{address}")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address


def pages(page: Any, town: Town, connection_id: str) -> list[str]:
    """Every kind of page, with something on it."""
    page.goto(f"{town.url}/orders/")
    orders = page.eval_on_selector_all("tbody th a", "all => all.map(one => one.getAttribute('href'))")
    page.goto(f"{town.url}/problems/")
    problems = page.eval_on_selector_all("tbody th a", "all => all.map(one => one.getAttribute('href'))")
    fixed = [*town.plain_pages(), "/orders/?q=nothing", "/stock/MUG", "/api/v1/docs"]
    fixed += ["/connections/add/amazon", "/connections/add/odoo", f"/connections/{connection_id}"]
    return [*fixed, f"/connections/{connection_id}/places", *orders, f"{orders[0]}/raw", *problems]


def test_no_page_breaks_a_rule_of_accessibility(page: Any, town: Town) -> None:
    """WCAG 2.2 AA as far as a program can tell. ORDERHUB_AXE names axe.min.js of axe-core 4."""
    script = Path(os.environ.get("ORDERHUB_AXE", "node_modules/axe-core/axe.min.js"))
    if not script.is_file():
        pytest.skip("axe-core is not at hand; set ORDERHUB_AXE to its axe.min.js")
    axe = script.read_text()
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found: list[str] = []
    page.goto(f"{town.url}/sign-in")
    addresses = ["/sign-in"]
    come_in(page, town)
    connection_id = connect_shop(page, town)
    town.world.location("EAST", "US")
    town.world.stock("location MUG\nEAST 5")
    town.buy(connection_id, ("MUG", 1))
    town.buy(connection_id, ("TEE", 1))
    for width in (1440, 320):
        page.set_viewport_size({"width": width, "height": 900})
        for address in addresses + pages(page, town, connection_id):
            page.goto(f"{town.url}{address}")
            page.evaluate(axe)
            result = page.evaluate("tags => axe.run(document, {runOnly: tags})", tags)
            found += [f"{address} {one['id']}: {one['nodes'][0]['html'][:120]}" for one in result["violations"]]
    assert found == []
