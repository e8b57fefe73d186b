"""What monitors see."""

from __future__ import annotations

from sqlalchemy import update

from hub.settings import Settings
from hub.store import availability, catalog, connections, migrate
from hub.store.database import open_database
from hub.store.tables import connection
from hub.testing.world import World
from hub.web.app import create_app
from tests.web.conftest import Site


def figures(site: Site) -> dict[str, float]:
    site.app.extensions["orderhub"].cached.clear()
    lines = site.app.test_client().get("/metrics").text.splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}


def test_a_well_hub_says_so(site: Site) -> None:
    answer = site.app.test_client().get("/healthz")
    assert (answer.status_code, answer.json["status"], answer.json["schema"]) == (200, "ok", migrate.head())


def test_an_empty_database_is_named(database_url: str) -> None:
    world = World(open_database(database_url))
    answer = create_app(Settings(_env_file=None), world.runtime).test_client().get("/healthz")
    assert (answer.status_code, answer.json["part"]) == (503, "schema")
    assert "orderhub migrate" in answer.json["message"]
    world.db.dispose()


def test_a_database_that_is_away_is_named() -> None:
    world = World(open_database("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2"))
    client = create_app(Settings(_env_file=None), world.runtime).test_client()
    assert client.get("/healthz").json["part"] == "database"
    assert client.get("/metrics").status_code == 503
    page = client.get("/sign-in")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "10")


def test_metrics_may_ask_for_a_key(site: Site) -> None:
    client = site.app.test_client()
    assert client.get("/metrics").status_code == 200
    client = create_app(Settings(_env_file=None, metrics_need_key=True), site.world.runtime).test_client()
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers=site.key("viewer")).status_code == 200
    assert client.get("/healthz").status_code == 200


def test_metrics_count_what_waits_and_what_stands_still(site: Site) -> None:
    site.world.location("EAST", "US")
    site.world.stock("location MUG\nEAST 5")
    site.order(("MUG", 1))
    headers, body = site.shop.webhook("orders/create", site.shop.place_order([("TEE", 1)]), "again")
    site.post_hook(headers, body)
    site.post_hook(headers, body)
    site.post_hook({}, b"{}")
    site.world.later(seconds=90)
    found = figures(site)
    assert found['orderhub_inbox_rows{status="done"}'] == 2  # the webhook, and the whole order that was asked for
    assert found['orderhub_inbox_rows{status="received"}'] == 1
    assert found["orderhub_inbox_oldest_waiting_seconds"] >= 90
    assert found['orderhub_orders{lifecycle="open"}'] == 1
    assert found['orderhub_connection_active{connection="Web shop"}'] == 1
    assert found['orderhub_connection_webhooks{connection="Web shop"}'] == 2
    assert found['orderhub_connection_webhook_duplicates{connection="Web shop"}'] == 1
    assert found['orderhub_connection_webhooks_rejected{connection="Web shop"}'] == 1
    site.world.run()
    assert figures(site)['orderhub_holds{kind="unmapped"}'] == 1


def test_webhooks_that_are_told_to_come_back_are_counted(site: Site) -> None:
    assert figures(site)["orderhub_webhooks_put_off"] == 0
    limiter = site.app.extensions["orderhub"].webhooks
    limiter.clock, limiter.burst = lambda: 0.0, 3
    answers = [site.post_hook({}, b"{}").status_code for _ in range(5)]
    assert answers == [401, 401, 401, 429, 429]
    assert figures(site)["orderhub_webhooks_put_off"] == 2


def test_an_open_breaker_shows(site: Site) -> None:
    with site.world.db.begin() as tx:
        for _ in range(10):
            connections.failed(tx, site.shop_id, "no answer", site.world.now())
    found = figures(site)
    assert found['orderhub_connection_breaker_open{connection="Web shop"}'] == 1
    assert found['orderhub_connection_failures{connection="Web shop"}'] == 10


def test_metrics_are_asked_of_the_database_every_five_seconds_at_most(site: Site) -> None:
    client = site.app.test_client()
    first = client.get("/metrics").data
    with site.world.db.begin() as tx:
        connections.set_status(tx, site.shop_id, "paused")
    assert client.get("/metrics").data == first
    kept = site.app.extensions["orderhub"].cached
    at, text = kept["metrics"]
    kept["metrics"] = (at - 6, text)
    assert client.get("/metrics").data != first


def test_two_applications_keep_their_own_limits_and_caches(site: Site) -> None:
    other = create_app(Settings(_env_file=None), site.world.runtime)
    assert other.extensions["orderhub"].webhooks is not site.app.extensions["orderhub"].webhooks
    assert other.extensions["orderhub"].cached is not site.app.extensions["orderhub"].cached


def test_a_channel_that_is_told_no_stock_lacks_none(site: Site) -> None:
    site.world.location("EAST", "US")
    site.world.stock("location MUG\nEAST 5")
    rows: list[dict[str, object]] = [{"external_id": "1", "inventory_external_id": "1", "sku": "MUG", "title": "",
                                      "product_type": None, "pack_size": 1}]  # fmt: skip
    with site.world.db.begin() as tx:
        catalog.store_listings(tx, site.shop_id, rows)
        availability.mark_due(tx)
    waiting, viewer = 'orderhub_connection_publish_waiting{connection="Web shop"}', site.signed_in("viewer")
    assert figures(site)[waiting] == 1
    assert 'data-head="Stock to tell">1<' in viewer.get("/connections/").text
    with site.world.db.begin() as tx:
        tx.execute(update(connection).values(publish_stock=False))
    assert figures(site)[waiting] == 0
    assert 'data-head="Stock to tell">0<' in viewer.get("/connections/").text
