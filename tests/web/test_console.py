"""The console's pages over a hub with real orders in it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from connectors.carriers.easypost.sandbox import EasyPostSandbox
from connectors.erp.odoo.sandbox import OdooSandbox
from connectors.shopify.sandbox_shop import ADDRESS, CUSTOMER
from hub.domain.routing.shapes import Step
from hub.flows import operate
from hub.plugins import BrokenPlugin, Registry
from hub.sdk.signatures import hmac_signature
from hub.settings import Settings
from hub.store import catalog, connections
from hub.store.tables import connection, entity_event, fulfillment_order, hold, inbox, orders, outbox
from hub.store.views import problems
from hub.testing import Fault
from hub.web.app import create_app
from tests.fulfillment.test_routing_life import publish, rules
from tests.web.conftest import Site


def stocked(site: Site) -> None:
    site.world.location("EAST", "US")
    site.world.location("WEST", "US", rank=200)
    site.world.stock("location MUG TEE\nEAST 5 0\nWEST 1 2")


def order_id(site: Site, number: str) -> str:
    return site.world.read(lambda tx: tx.execute(select(orders.c.id).where(orders.c.number == number)).scalar_one())


def test_empty_pages_say_what_to_do_next(site: Site) -> None:
    owner = site.signed_in()
    assert "when it is read next" in owner.get("/orders/").text
    assert "All clear" in owner.get("/problems/").text
    assert "There are no articles yet" in owner.get("/stock/").text
    assert "No location yet" in owner.get("/locations/").text
    assert "No orders match" in owner.get("/orders/?q=nothing-like-it").text


def test_orders_are_found_by_what_people_know_of_them(site: Site) -> None:
    stocked(site)
    first, second = site.order(("MUG", 1)), site.order(("TEE", 1))
    owner = site.signed_in()
    for text, found, other in (
        (first.name, first.name, second.name),
        (first.name.lstrip("#"), first.name, second.name),
        ("TEE", second.name, first.name),
    ):
        page = owner.get("/orders/", query_string={"q": text}).text
        assert f">{found}</a>" in page
        assert f">{other}</a>" not in page
    assert f">{first.name}</a>" in owner.get("/orders/", query_string={"q": first.customer["email"]}).text
    assert owner.get("/orders/?only=nonsense").status_code == 404
    for page in ("/orders/", "/orders/holds", "/stock/", "/purchase-orders/"):
        assert owner.get(f"{page}?after=nonsense").status_code == 404, page


def test_tabs_count_what_they_show(site: Site) -> None:
    stocked(site)
    site.order(("MUG", 1))
    site.order(("TEE", 9))
    page = site.signed_in().get("/orders/").text
    counts = dict(re.findall(r">(All|Open|On hold|Backordered|Completed)\s*<span class=\"count\">(\d+)</span>", page))
    assert counts == {"All": "2", "Open": "2", "On hold": "0", "Backordered": "1", "Completed": "0"}


def test_an_order_tells_its_whole_story(site: Site) -> None:
    stocked(site)
    placed = site.order(("MUG", 1), shipping="4.00")
    page = site.signed_in().get(f"/orders/{order_id(site, placed.name)}").text
    for words in ("14.00 USD", "4.00 USD", "FO-", "EAST", "arrived from Web shop", "How it was decided", "Ada Example"):
        assert words in page
    edited = site.shop.edit_order(placed.id, note="A present")
    assert site.post_hook(*site.shop.webhook("orders/updated", edited)).status_code == 200
    site.world.run()
    raw = site.signed_in().get(f"/orders/{order_id(site, placed.name)}/raw").text
    assert "x-shopify-topic" in raw
    assert "Canonical order" in raw
    assert "external_id" in raw


def test_an_order_that_nobody_can_ship_and_nothing_lets_wait_says_so(site: Site) -> None:
    publish(site, rules(Step(on_remainder="queue:call the customer")))
    stocked(site)
    page = site.signed_in().get(f"/orders/{order_id(site, site.order(('TEE', 9)).name)}").text
    assert "Nobody can ship it" in page
    assert "7 units have no place, and the rules let nothing wait." in page


def test_what_a_customer_wrote_is_never_markup(site: Site) -> None:
    stocked(site)
    evil = "<script>alert(1)</script>"
    site.order(("MUG", 1), customer=CUSTOMER | {"first_name": evil}, ship_to=ADDRESS | {"name": f"{evil} Example"})
    owner = site.signed_in()
    [found] = site.world.read(lambda tx: tx.execute(select(orders.c.id)).scalars().all())
    for path in ("/orders/", f"/orders/{found}", f"/orders/{found}/raw"):
        page = owner.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_an_unlinked_sku_is_linked_on_the_page_and_its_orders_go_on(site: Site) -> None:
    site.world.location("EAST", "US")
    site.world.stock("location BECHER\nEAST 9")
    one, two = site.order(("MUG", 1)), site.order(("MUG", 2))
    owner = site.signed_in("ops")
    path = f"/orders/{order_id(site, one.name)}"
    page = owner.get(path).text
    assert "is not linked to an article" in page
    line = re.search(r'name="line_id" value="([^"]+)"', page)[1]
    form = {"line_id": line, "order_id": path.rsplit("/", 1)[1], "pack_size": "1", "make": ""}
    wrong = owner.submit("/problems/link", form | {"sku": "NO-SUCH"}, path)
    assert "no article" in owner.get(wrong.headers["Location"]).text
    assert owner.submit("/problems/link", form | {"sku": "BECHER"}, path).status_code == 302
    site.world.run()
    active = select(hold.c.id).where(hold.c.state == "active")
    assert site.world.read(lambda tx: tx.execute(active).all()) == []
    assert site.world.on_shelf()["EAST"]["BECHER"] == (9, 6, 3)
    assert "is not linked" not in owner.get("/problems/").text
    assert "person:Ops" in owner.get(f"/orders/{order_id(site, two.name)}").text


def test_an_article_can_be_made_where_it_is_missing(site: Site) -> None:
    site.world.location("EAST", "US")
    placed = site.order(("MUG", 1))
    owner = site.signed_in("ops")
    [problem] = re.findall(r"/problems/([0-9a-f]{16})\"", owner.get("/problems/").text)
    page = owner.get(f"/problems/{problem}").text
    line = re.search(r'name="line_id" value="([^"]+)"', page)[1]
    form = {"line_id": line, "order_id": order_id(site, placed.name), "sku": "MUG", "pack_size": "1", "make": "yes"}
    owner.submit("/problems/link", form, f"/problems/{problem}")
    assert site.world.read(lambda tx: catalog.variants_by_sku(tx, ["MUG"]))
    site.world.run()
    assert owner.get(f"/problems/{problem}").status_code == 404


def test_a_parked_arrival_is_shown_replayed_and_set_aside(site: Site) -> None:
    body = b'{"id": 7, "broken": true}'
    headers = {
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Shop-Domain": site.shop.shop,
        "X-Shopify-Hmac-Sha256": hmac_signature(site.shop.webhook_secret, body),
    }
    site.post_hook(headers, body)
    site.world.run()
    owner = site.signed_in("ops")
    [problem] = re.findall(r"/problems/([0-9a-f]{16})\"", owner.get("/problems/").text)
    assert "&#34;broken&#34;: true" in owner.get(f"/problems/{problem}").text
    owner.submit("/problems/replay", {"problem": problem}, f"/problems/{problem}")
    [row] = site.world.read(lambda tx: tx.execute(select(inbox)).all())
    assert row.status == "received"
    site.world.run()
    assert owner.get(f"/problems/arrivals/{row.id}").status_code == 200
    owner.submit("/problems/set-aside", {"problem": problem, "reason": "a test of theirs"}, f"/problems/{problem}")
    assert "All clear" in owner.get("/problems/").text


def test_an_unknown_outcome_is_settled_by_hand(site: Site) -> None:
    stocked(site)
    erp = OdooSandbox()
    with erp.serve():
        site.world.connect("odoo", "Books", erp.settings())
        erp.add_product("MUG")
        erp.faults.append(Fault("drop", match="sale.order/create", times=1))
        site.order(("MUG", 1))
    row = site.world.read(lambda tx: tx.execute(select(outbox).where(outbox.c.operation == "post")).one())
    assert row.status == "unknown"
    manager = site.signed_in("manager")
    path = f"/problems/deliveries/{row.id}"
    assert row.reference in manager.get(path).text
    manager.submit(f"{path}/resolve", {"happened": "yes", "external_id": ""}, path)
    assert "say under which id" in manager.get(path).text.lower()
    manager.submit(f"{path}/resolve", {"happened": "yes", "external_id": "41", "number": "S00041"}, path)
    assert "Delivered" in manager.get(path).text
    assert "S00041" in manager.get(f"/orders/{row.order_id}").text


def test_a_refused_message_is_set_aside_with_a_reason(site: Site) -> None:
    stocked(site)
    placed = site.order(("MUG", 1))
    site.shop.cancel_order(placed.id)
    fo = site.world.read(lambda tx: tx.execute(select(fulfillment_order)).one())
    operate.ship_by_hand(site.world.runtime, fo.order_id, fo.number, person="mia", tracking_number="1")
    site.world.run()
    row = site.world.read(lambda tx: tx.execute(select(outbox).where(outbox.c.operation == "confirm")).one())
    ops, path = site.signed_in("ops"), f"/problems/deliveries/{row.id}"
    order = f"/orders/{fo.order_id}"
    assert "A message is stuck" in ops.get(order).text
    ops.submit("/problems/deliveries/set-aside", {"id": row.id, "stay": "yes", "reason": ""}, path)
    assert "Say why nothing is to be done with it" in ops.get(path).text
    ops.submit("/problems/deliveries/set-aside", {"id": row.id, "stay": "yes", "reason": "told by phone"}, path)
    assert "Set aside" in ops.get(path).text
    assert "Send again" in ops.get(path).text
    assert "A message is stuck" not in ops.get(order).text
    assert "told by phone" in ops.get(order).text
    assert "refused to be told of a shipment" not in ops.get("/problems/").text


def test_all_messages_of_a_problem_are_set_aside_at_once(site: Site) -> None:
    stocked(site)
    for _ in range(2):
        placed = site.order(("MUG", 1))
        site.shop.cancel_order(placed.id)
    for fo in site.world.read(lambda tx: tx.execute(select(fulfillment_order)).all()):
        operate.ship_by_hand(site.world.runtime, fo.order_id, fo.number, person="mia", tracking_number="1")
    site.world.run()
    now = site.world.now()
    [problem] = [one for one in site.world.read(lambda tx: problems.find(tx, now)) if one.kind == "outbox"]
    ops, path = site.signed_in("ops"), f"/problems/{problem.fingerprint}"
    form = {"problem": problem.fingerprint, "reason": "told by phone"}
    assert ops.submit("/problems/deliveries/set-aside", form, path).headers["Location"] == "/problems/"
    assert "2 rows are set aside" in ops.get("/problems/").text
    assert ops.get(path).status_code == 404


def test_a_hold_is_released_and_an_order_cancelled(site: Site) -> None:
    stocked(site)
    placed = site.order(("MUG", 1))
    path = f"/orders/{order_id(site, placed.name)}"
    manager = site.signed_in("manager")
    manager.submit(f"{path}/hold", {"reason": "Customer calls back"}, path)
    page = manager.get(path).text
    assert "Customer calls back" in page
    [release] = re.findall(rf'action="({path}/holds/[^"]+/release)"', page)
    manager.submit(release, {}, path)
    assert "released by" in manager.get(path).text
    manager.submit(f"{path}/cancel", {"reason": "No longer wanted"}, path)
    assert "No longer wanted" in manager.get(path).text
    assert site.world.on_shelf()["EAST"]["MUG"] == (5, 5, 0)


def test_a_label_is_a_download_that_nothing_can_run_in(site: Site) -> None:
    carrier = EasyPostSandbox()
    with carrier.serve():
        handler = site.world.connect("easypost", "Carrier", {"api_key": carrier.api_key, "base_url": carrier.url})
        address = {"line1": "1 Dock Street", "city": "Newark", "region": "NJ", "postal_code": "07101", "country": "US"}
        site.world.location("EAST", handling="label", handler_id=handler, address=address)
        with site.world.db.begin() as tx:
            catalog.add_variants(tx, [{"sku": "MUG", "weight_g": 300}], site.world.now())
        site.world.stock("location MUG\nEAST 5")
        placed = site.order(("MUG", 1))
    packer = site.signed_in("packer")
    path = f"/orders/{order_id(site, placed.name)}"
    [label] = re.findall(rf'href="({path}/labels/[^"]+)"', packer.get(path).text)
    answer = packer.get(label)
    assert answer.data.startswith(b"%PDF")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert packer.get(f"{path}/labels/nothing").status_code == 404


SETTINGS = {"name": "Second shop", "shop": "demo.myshopify.com", "access_token": "shpat-demo"}


def test_a_wrong_setting_is_said_beside_its_field_and_secrets_do_not_come_back(site: Site) -> None:
    owner = site.signed_in()
    answer = owner.submit("/connections/add/shopify", SETTINGS | {"shop": "demo.example.com", "page_size": "many"})
    assert answer.status_code == 422
    assert 'id="shop-error"' in answer.text
    assert re.search(r'id="f-shop"[^>]*aria-describedby="[^"]*shop-error"[^>]*aria-invalid="true"', answer.text)
    assert "Orders per page must be a whole number" in answer.text
    assert 'value="demo.example.com"' in answer.text
    assert "shpat-demo" not in answer.text
    assert site.world.read(lambda tx: len(connections.every(tx))) == 1


def test_a_connection_that_does_not_work_is_not_stored(site: Site) -> None:
    owner = site.signed_in()
    answer = owner.submit("/connections/add/shopify", SETTINGS | {"access_token": "wrong", "base_url": site.shop.url})
    assert answer.status_code == 422
    assert "The sign-in was refused" in answer.text
    assert 'id="access_token-error"' in answer.text
    assert site.world.read(lambda tx: len(connections.every(tx))) == 1


def test_a_connection_is_added_tried_changed_paused_and_resumed(site: Site) -> None:
    second = type(site.shop)(shop="second.myshopify.com")
    with second.serve():
        owner = site.signed_in()
        form = {"name": "Second", "shop": second.shop, "access_token": second.token, "base_url": second.url}
        form["webhook_secret"] = "whsec-second"
        made = owner.submit("/connections/add/shopify", form)
        assert made.status_code == 302, made.text
        path = made.headers["Location"]
        page = owner.get(path).text
        assert "is connected" in page
        assert "● set" in page
        assert second.token not in page
        assert "whsec-second" not in page
        tried = owner.client.post(
            f"{path}/check", data={"csrf_token": owner.token(path)}, headers={"HX-Request": "true"}
        )
        assert "It works" in tried.text
        assert "<html" not in tried.text
        change = {name: form[name] for name in ("name", "shop", "base_url")} | {
            "page_size": "20",
            "publish_stock": "on",
        }
        assert owner.submit(path, change | {"stock_threshold": "-3"}).status_code == 422
        assert owner.submit(path, change | {"stock_threshold": "3"}).status_code == 302
        key = path.rsplit("/", 1)[1]
        row = site.world.read(lambda tx: connections.get(tx, key))
        assert (row.config["page_size"], row.stock_threshold, row.status) == (20, 3, "active")
        kept = site.world.read(lambda tx: connections.read_secrets(tx, site.world.runtime.keyring, key))
        assert kept == {"access_token": second.token, "webhook_secret": "whsec-second"}
        owner.submit(f"{path}/pause", {}, path)
        assert "Paused" in owner.get(path).text
        owner.submit(f"{path}/resume", {}, path)
        assert (
            "Reading now: orders, products"
            in owner.get(owner.submit(f"{path}/sync", {}, path).headers["Location"]).text
        )
        second.token = "changed there"
        owner.submit(f"{path}/check", {}, path)
        assert "The sign-in was refused" in owner.get(path).text
        status = select(connection.c.status).where(connection.c.id == key)
        assert site.world.read(lambda tx: tx.execute(status).scalar_one()) == "needs_sign_in"
        assert 'id="access_token-error"' in owner.get(path).text or "needs sign-in" in owner.get(path).text.lower()


def test_stock_is_corrected_once_with_a_reason(site: Site) -> None:
    stocked(site)
    ops = site.signed_in("ops")
    page = ops.get("/stock/MUG").text
    key = re.search(r'name="key" value="([^"]+)"', page)[1]
    form = {"location": "EAST", "how": "set", "units": "12", "reason": "Count", "key": key}
    assert ops.submit("/stock/MUG", form | {"units": "twelve"}).status_code == 422
    assert ops.submit("/stock/MUG", form | {"reason": " "}).status_code == 422
    assert ops.submit("/stock/MUG", form | {"location": "MOON"}).status_code == 422
    change = form | {"how": "change", "units": "-2", "key": "the same form"}
    for _ in range(2):
        ops.submit("/stock/MUG", change)
    assert site.world.on_shelf()["EAST"]["MUG"] == (3, 3, 0)
    ops.submit("/stock/MUG", form | {"seen:EAST": "3"})
    assert site.world.on_shelf()["EAST"]["MUG"] == (12, 12, 0)
    assert "person:Ops" in ops.get("/stock/MUG").text
    assert ops.get("/stock/NOTHING").status_code == 404


def test_a_figure_is_not_booked_over_what_others_have_booked_since_the_page_was_opened(site: Site) -> None:
    stocked(site)
    mia, bo = site.signed_in("ops"), site.signed_in("manager")
    form = {"location": "EAST", "how": "set", "units": "4", "reason": "Count"}
    opened = dict(re.findall(r'name="(seen:[A-Z]+)" value="(\d+)"', mia.get("/stock/MUG").text))
    bo.submit("/stock/MUG", {"location": "EAST", "how": "change", "units": "-1", "reason": "broken", "key": "b"})
    late = mia.submit("/stock/MUG", form | opened | {"key": "m"})
    assert (late.status_code, "There are 4 units on hand and 5 were expected" in late.text) == (422, True)
    assert site.world.on_shelf()["EAST"]["MUG"] == (4, 4, 0)
    shown = dict(re.findall(r'name="(seen:[A-Z]+)" value="(\d+)"', late.text))
    assert mia.submit("/stock/MUG", form | shown | {"units": "9", "key": "m2"}).status_code == 302
    assert site.world.on_shelf()["EAST"]["MUG"] == (9, 9, 0)


def test_an_article_with_a_slash_in_its_sku_has_a_page(site: Site) -> None:
    site.world.location("EAST")
    site.world.stock("location A/B%20C\nEAST 3")
    assert "A/<wbr>B%20C" in site.signed_in().get("/stock/A/B%2520C").text


def test_a_location_is_added_and_a_wrong_one_is_not(site: Site) -> None:
    manager = site.signed_in("manager")
    wrong = manager.submit("/locations/", {"code": "BERLIN 1", "country": "Germany", "handling": "threepl"})
    assert wrong.status_code == 422
    for words in ("A code has up to 40", "its two letters", "Choose the connection"):
        assert words in wrong.text
    form = {"code": "BERLIN-1", "country": "de", "handling": "manual", "city": "Berlin"}
    assert manager.submit("/locations/", form).status_code == 302
    assert manager.submit("/locations/", form).status_code == 422
    [place] = site.world.read(catalog.locations)
    assert (place.code, place.country, place.address) == ("BERLIN-1", "DE", {"city": "Berlin", "country": "DE"})


@pytest.mark.parametrize("path", ["/orders/", "/stock/", "/problems/", "/connections/", "/locations/", "/settings/"])
def test_pages_carry_nothing_inline_and_nothing_from_elsewhere(site: Site, path: str) -> None:
    page = site.signed_in().get(path)
    assert not re.search(r"<style|<script(?![^>]*src=)|\son\w+=|\sstyle=|javascript:", page.text)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
    policy = page.headers["Content-Security-Policy"]
    for part in (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ):
        assert part in policy
    assert "unsafe" not in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Cache-Control"] == "no-store"


def test_the_first_view_is_light(site: Site) -> None:
    owner = site.signed_in()
    page = owner.get("/orders/")
    sizes = [len(page.data)]
    for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
        answer = owner.get(address.replace("&amp;", "&"), headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        sizes.append(len(answer.data))
    assert sum(sizes) <= 150_000


@pytest.mark.parametrize("name", ["../app.py", "vendor/../../app.py", "/etc/passwd", "nothing.css", "console.py", ""])
def test_no_other_file_is_served(site: Site, name: str) -> None:
    assert site.app.test_client().get(f"/static/{name}").status_code in (404, 308)


def test_a_nul_in_an_address_or_a_form_is_refused(site: Site) -> None:
    owner = site.signed_in()
    assert owner.get("/orders/?q=%00").status_code == 400
    assert owner.get("/orders/%00").status_code == 400
    assert owner.submit("/locations/", {"code": "A\x00"}).status_code == 400


def test_everything_a_person_does_names_the_person(site: Site) -> None:
    stocked(site)
    owner = site.signed_in()
    path = f"/connections/{site.shop_id}"
    owner.submit(f"{path}/pause", {}, path)
    said = select(entity_event.c.actor).where(entity_event.c.kind == "paused")
    assert site.world.read(lambda tx: tx.execute(said).scalars().all()) == ["person:Owner"]


def test_a_broken_plugin_is_shown_with_its_traceback_and_stops_nothing(site: Site) -> None:
    why = "Traceback (most recent call last):\n  File x\nImportError: no module named <odd>"
    known = site.world.runtime.registry
    broken = Registry(known.plugins, (BrokenPlugin("odd", "odd-connector", why),))
    app = create_app(Settings(_env_file=None, cookie_secure=False), replace(site.world.runtime, registry=broken))
    site.app = app
    owner = site.signed_in()
    page = owner.get("/connections/").text
    assert "ImportError: no module named &lt;odd&gt;" in page
    assert "Traceback (most recent call last)" in page
    assert "Connect<span" in page
    with site.world.db.begin() as tx:
        tx.execute(update(connection).values(plugin="odd"))
    assert "Traceback (most recent call last)" in owner.get(f"/connections/{site.shop_id}").text
    assert owner.get("/orders/").status_code == 200


def test_a_location_without_a_system_is_shipped_from_in_the_console(site: Site) -> None:
    stocked(site)
    bought = site.order(("MUG", 1))
    path, acts = (f"/{part}/{order_id(site, bought.name)}" for part in ("orders", "fulfillment"))
    packer = site.signed_in("packer")
    [number] = re.findall(r'name="number" value="(FO-[0-9A-Z]+)"', packer.get(path).text)[:1]
    packer.submit(f"{acts}/refuse", {"number": number, "reason": "other", "note": "broken"}, path)
    assert site.world.on_shelf()["EAST"]["MUG"] == (5, 5, 0)
    [number] = re.findall(r'name="number" value="(FO-[0-9A-Z]+)"', packer.get(path).text)[:1]
    packer.submit(f"{acts}/ship", {"number": number, "carrier": "Bike courier", "tracking": "BC-7"}, path)
    assert "WEST" not in site.world.on_shelf() or "MUG" not in site.world.on_shelf()["WEST"]
    page = packer.get(path).text
    assert "BC-7" in page
    assert "All of it has left" not in page
