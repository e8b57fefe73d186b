"""What channels are told, from rules, groups, kits, supply and feeds, over real shops and a real warehouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from connectors.shopify.sandbox import ShopifySandbox
from connectors.threepl.shiphero.sandbox import ShipHeroSandbox
from hub.domain.feeds import emptying
from hub.flows import operate
from hub.flows.operate import availability as rules
from hub.flows.operate import counts, purchasing, suppliers
from hub.flows.operate.availability import WantedRule
from hub.flows.operate.errors import NotDoneError
from hub.flows.publish_stock import publish_stock
from hub.store import availability, catalog, inbox
from hub.store.database import Database, new_id
from hub.store.tables import (
    location,
    order_line,
    purchase_order,
    purchase_order_line,
    stock_position,
    supplier,
    supply_promise,
    variant,
)
from hub.store.views import stock as stock_view
from hub.testing.world import World

PERSON = "Ada"


class Town:
    """Two shops that list the same articles, and a warehouse that states its own stock."""

    def __init__(self, db: Database, web: ShopifySandbox, market: ShopifySandbox) -> None:
        self.world, self.shops = World(db), {"Web": web, "Market": market}
        self.ids = {name: self._connect(name, shop) for name, shop in self.shops.items()}

    def _connect(self, name: str, shop: ShopifySandbox) -> str:
        settings = {"shop": shop.shop, "access_token": shop.token, "base_url": shop.url}
        return self.world.connect("shopify", name, settings | {"webhook_secret": shop.webhook_secret})

    def list_articles(self, *skus: str) -> None:
        with self.world.db.begin() as tx:
            catalog.add_variants(tx, [{"sku": sku} for sku in skus], self.world.now())
            first = catalog.locations(tx)[0].id
            for name, shop in self.shops.items():
                catalog.link_location(tx, self.ids[name], str(shop.state.locations[0].id), first)
                rows = []
                for sku in skus:
                    sold = shop.add_product(sku, "1.00", stock=0)
                    names = {"external_id": str(sold.id), "inventory_external_id": str(sold.item), "sku": sku}
                    rows.append({**names, "title": sku, "product_type": None, "pack_size": 1})
                catalog.store_listings(tx, self.ids[name], rows)

    def stock(self, table: str) -> None:
        self.world.stock(table)
        self.world.run()

    def shown(self, sku: str) -> dict[str, int]:
        """What every shop shows."""
        return {name: shop.available(sku) for name, shop in self.shops.items()}

    def add(self, kind: str, value: int, **more: object) -> None:
        rules.add_rule(self.world.runtime, WantedRule(kind, value, **more), person=PERSON)  # type: ignore[arg-type]
        self.world.run()

    def tag(self, sku: str, *tags: str) -> None:
        with self.world.db.begin() as tx:
            tx.execute(update(variant).where(variant.c.sku == sku).values(tags=list(tags)))

    def group(self, code: str, *groups: str) -> None:
        with self.world.db.begin() as tx:
            tx.execute(update(location).where(location.c.code == code).values(groups=list(groups)))


@pytest.fixture
def town(db: Database) -> Iterator[Town]:
    web, market = ShopifySandbox(shop="web.myshopify.com"), ShopifySandbox(shop="market.myshopify.com")
    with web.serve(), market.serve():
        made = Town(db, web, market)
        made.world.location("S1")
        made.world.location("S2")
        yield made


def test_a4_each_channel_keeps_its_own_units(town: Town) -> None:
    town.list_articles("MUG")
    town.stock("location MUG\nS1 20")
    town.add("threshold", 15, channel="Market")
    town.add("threshold", 5, channel="Web")
    assert town.shown("MUG") == {"Web": 15, "Market": 5}


def test_a_channels_own_threshold_counts_until_a_rule_matches(town: Town) -> None:
    town.list_articles("MUG", "TEE")
    town.stock("location MUG TEE\nS1 20 20")
    rules.set_channel(town.world.runtime, "Market", person=PERSON, stock_threshold=15)
    town.add("threshold", 3, channel="Market", skus=["TEE"])
    assert (town.shown("MUG"), town.shown("TEE")) == ({"Web": 20, "Market": 5}, {"Web": 20, "Market": 17})


def test_a3_the_last_rule_that_matches_wins_and_moving_it_changes_the_figure(town: Town) -> None:
    town.list_articles("SHOE")
    town.tag("SHOE", "kids-shoes", "sale")
    town.stock("location SHOE\nS1 30")
    town.add("threshold", 5)
    town.add("threshold", 8, tags=["kids-shoes"])
    town.add("threshold", 10, tags=["sale"])
    assert town.shown("SHOE") == {"Web": 20, "Market": 20}
    rules.move_rule(town.world.runtime, "1", 3, person=PERSON)
    town.world.run()
    assert town.shown("SHOE") == {"Web": 25, "Market": 25}
    rules.remove_rule(town.world.runtime, "3", person=PERSON)
    town.world.run()
    assert town.shown("SHOE") == {"Web": 20, "Market": 20}
    rules.switch_rule(town.world.runtime, "2", active=False, person=PERSON)
    town.world.run()
    assert town.shown("SHOE") == {"Web": 22, "Market": 22}


def test_a2_safety_stock_of_one_place_does_not_eat_the_units_of_another(town: Town) -> None:
    town.list_articles("MUG")
    town.group("S1", "stores")
    town.stock("location MUG\nS1 2\nS2 20")
    town.add("safety", 12, location_group="stores")
    assert town.shown("MUG") == {"Web": 20, "Market": 20}


def test_a_channel_that_sells_from_a_group_is_told_what_lies_there(town: Town) -> None:
    town.list_articles("MUG")
    town.group("S2", "stores")
    town.stock("location MUG\nS1 30\nS2 7")
    rules.set_channel(town.world.runtime, "Web", person=PERSON, location_group="stores")
    town.world.run()
    assert town.shown("MUG") == {"Web": 7, "Market": 37}
    with pytest.raises(NotDoneError, match="no location is in a group 'shops'"):
        rules.set_channel(town.world.runtime, "Web", person=PERSON, location_group="shops")


def test_an_article_taken_off_a_channel_shows_none_there(town: Town) -> None:
    town.list_articles("MUG")
    town.stock("location MUG\nS1 9")
    town.add("publish", 0, channel="Market", sku_prefix="MU")
    assert town.shown("MUG") == {"Web": 9, "Market": 0}


def test_the_effect_of_a_rule_is_told_before_it_is_saved(town: Town) -> None:
    town.list_articles("MUG", "TEE")
    town.stock("location MUG TEE\nS1 20 3")
    effect = rules.effect_of_adding(town.world.runtime, WantedRule("threshold", 5, channel="Web"))
    assert (effect.listings, effect.rises, effect.falls) == (4, 0, 2)
    assert {(one.sku, one.channel, one.before, one.after) for one in effect.examples} == {
        ("MUG", "Web", 20, 15),
        ("TEE", "Web", 3, 0),
    }
    assert town.shown("MUG") == {"Web": 20, "Market": 20}
    town.add("threshold", 5, channel="Web")
    assert rules.effect_of_removing(town.world.runtime, "1").rises == 2
    again = rules.effect_of_adding(town.world.runtime, WantedRule("threshold", 1, channel="Web"))
    assert (again.rises, again.falls) == (2, 0)  # as the last it wins over the one before
    first = rules.effect_of_adding(town.world.runtime, WantedRule("threshold", 1, channel="Web"), 1)
    assert (first.rises, first.falls) == (0, 0)
    town.add("threshold", 1, channel="Web")
    assert rules.effect_of_moving(town.world.runtime, "2", 1).falls == 2
    assert rules.effect_of_switching(town.world.runtime, "2", active=False).falls == 2


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (WantedRule("colour", 1), "a rule is one of"),
        (WantedRule("percent", 101), "from 0 to 100"),
        (WantedRule("publish", 2), "from 0 to 1"),
        (WantedRule("safety", -1), "from 0 to"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(town: Town, wanted: WantedRule, words: str) -> None:
    with pytest.raises(NotDoneError, match=words):
        rules.add_rule(town.world.runtime, wanted, person=PERSON)


def test_units_on_order_are_sold_before_they_are_there_less_those_promised(town: Town) -> None:
    town.list_articles("MUG")
    town.stock("location MUG\nS1 0")
    _order_from_supplier(town.world, "MUG", "S1", ordered=12, received=2)
    assert town.shown("MUG") == {"Web": 0, "Market": 0}
    with town.world.db.begin() as tx:
        tx.execute(update(variant).where(variant.c.sku == "MUG").values(preorderable=True))
    town.stock("location MUG\nS1 1")
    assert town.shown("MUG") == {"Web": 11, "Market": 11}  # 1 there and 10 to come
    placed = town.shops["Web"].place_order([("MUG", 4)])
    assert town.world.deliver(town.ids["Web"], *town.shops["Web"].webhook("orders/create", placed)).status == 200
    town.world.run()
    _promise(town.world, 3)  # of the order's four, one lies there and three are promised from the supplier
    town.add("safety", 0)
    assert town.shown("MUG") == {"Web": 7, "Market": 7}


def test_what_is_on_order_for_a_place_that_is_switched_off_is_not_offered(town: Town) -> None:
    town.list_articles("MUG")
    town.stock("location MUG\nS2 1")
    rules.set_article(town.world.runtime, "MUG", person=PERSON, preorderable=True)
    _order_from_supplier(town.world, "MUG", "S1", ordered=12, received=0)
    operate.change_location(town.world.runtime, "S1", {"active": False}, person=PERSON)
    town.world.run()
    assert town.shown("MUG") == {"Web": 1, "Market": 1}


def test_what_is_told_follows_a_purchase_order_from_placing_to_cancelling(town: Town) -> None:
    runtime = town.world.runtime
    town.list_articles("MUG")
    rules.set_article(runtime, "MUG", person=PERSON, preorderable=True)
    town.stock("location MUG\nS1 10")
    suppliers.add_supplier(runtime, "ACME", currency="EUR", person=PERSON)
    number = purchasing.draft_purchase(runtime, "ACME", "S1", [purchasing.Wanted("MUG", 50, 250)], person=PERSON)
    told = [town.shown("MUG")["Web"]]

    def then(work: Callable[..., object], *args: object) -> None:
        work(runtime, number, *args, person=PERSON)
        town.world.run()
        told.append(town.shown("MUG")["Web"])

    then(purchasing.place_purchase)
    then(purchasing.acknowledge, [purchasing.Confirmed("MUG", 5)])
    then(purchasing.cancel_purchase, "they stopped making it")
    assert told == [10, 60, 15, 10]


@pytest.mark.parametrize("settings", [{"active": False}, {"ships": False}, {"groups": ["outlet"]}])
def test_what_is_told_follows_the_settings_of_a_location(town: Town, settings: dict[str, Any]) -> None:
    town.list_articles("MUG")
    rules.set_location(town.world.runtime, "S1", person=PERSON, groups=["web"])
    rules.set_channel(town.world.runtime, "Web", person=PERSON, location_group="web")
    town.stock("location MUG\nS1 10")
    assert town.shown("MUG")["Web"] == 10
    operate.change_location(town.world.runtime, "S1", settings, person=PERSON)
    town.world.run()
    assert town.shown("MUG")["Web"] == 0


def _order_from_supplier(world: World, sku: str, code: str, *, ordered: int, received: int) -> None:
    now, supplier_id, order_id = world.now(), new_id(), new_id()
    with world.db.begin() as tx:
        place, article = catalog.location_by_code(tx, code).id, catalog.variants_by_sku(tx, [sku])[sku]
        tx.execute(insert(supplier).values(id=supplier_id, code="S", currency="USD", created_at=now))
        tx.execute(
            insert(purchase_order).values(
                id=order_id, number="PO-1", supplier_id=supplier_id, location_id=place, status="partially_received",
                currency="USD", created_by="test", created_at=now, updated_at=now,
            )
        )  # fmt: skip
        tx.execute(
            insert(purchase_order_line).values(
                id=new_id(), purchase_order_id=order_id, variant_id=article, ordered=ordered, received=received
            )
        )


def _promise(world: World, units: int) -> None:
    """What waits of the order is promised from the purchase order, unless that has happened by itself."""
    with world.db.begin() as tx:
        if tx.execute(select(supply_promise.c.id)).first() is not None:
            return
        values = {
            "order_line_id": tx.execute(select(order_line.c.id)).scalar_one(),
            "purchase_order_line_id": tx.execute(select(purchase_order_line.c.id)).scalar_one(),
        }
        when = {"promised_on": date(2026, 9, 1), "created_at": world.now()}
        tx.execute(insert(supply_promise).values(id=new_id(), quantity=units, **values, **when))


# --- feeds -------------------------------------------------------------------------------------------------------


SKUS = [f"SKU-{number:02}" for number in range(25)]


class Fed:
    """A town whose only location is a warehouse that states its stock by a feed."""

    def __init__(self, town: Town, warehouse: ShipHeroSandbox) -> None:
        self.town, self.world, self.warehouse = town, town.world, warehouse
        settings = {"shop_name": "demo", "refresh_token": warehouse.refresh_token, "base_url": warehouse.url}
        self.id = operate.add_connection(self.world.runtime, "shiphero", "3PL", settings, person=PERSON).id
        place = operate.places(self.world.runtime, self.id)[0].external_id
        operate.add_location(
            self.world.runtime, "3PL", person=PERSON, handling="threepl", handler=self.id, warehouse=place
        )

    def state(self, units: int, skus: list[str]) -> None:
        """The warehouse counts; the hub reads its feed."""
        for sku in skus:
            self.warehouse.add_product(sku, on_hand=units)
        self.read()

    def read(self) -> None:
        self.world.later(minutes=1)
        operate.sync_now(self.world.runtime, self.id, person=PERSON)
        self.world.run()

    def shown(self) -> set[int]:
        return {self.town.shops["Web"].available(sku) for sku in SKUS}

    def overdue_after(self, minutes: int) -> None:
        with self.world.db.begin() as tx:
            tx.execute(update(location).where(location.c.code == "3PL").values(stale_after_min=minutes))

    def stock_meanwhile(self, table: str) -> None:
        """Stock changes and channels are told, and the feed is not read."""
        self.world.stock(table)
        publish_stock(self.world.runtime, self.town.ids["Web"])

    def trust(self, sku: str) -> list[str]:
        row = self.world.read(lambda tx: stock_view.article(tx, sku, self.world.now()))
        return [one.confidence for one in row.positions]


@pytest.fixture
def fed(town: Town) -> Iterator[Fed]:
    warehouse = ShipHeroSandbox()
    warehouse.warehouse.clock = town.world.now
    for sku in SKUS:
        warehouse.add_product(sku, on_hand=5)
    with warehouse.serve():
        town.list_articles(*SKUS)
        made = Fed(town, warehouse)
        made.read()
        yield made


def test_a6_a_feed_that_takes_most_articles_to_nothing_is_parked_and_channels_keep_their_figures(fed: Fed) -> None:
    assert fed.shown() == {5}
    fed.state(0, SKUS[:23])  # 92 percent
    assert fed.shown() == {5}
    (doubted,) = rules.doubted_feeds(fed.world.runtime)
    assert (doubted.connection, doubted.figures) == ("3PL", 23)
    assert "had stock would go to nothing" in doubted.reason
    assert fed.world.inbox_outcomes()["dead"] == 23


def test_a_doubted_feed_is_parked_with_its_figures_that_are_not_nothing(fed: Fed) -> None:
    for sku in SKUS[23:]:
        fed.warehouse.add_product(sku, on_hand=9)
    fed.state(0, SKUS[:23])
    assert fed.shown() == {5}
    (doubted,) = rules.doubted_feeds(fed.world.runtime)
    assert doubted.figures == 25
    assert (
        "23 of 25 articles that had stock would go to nothing (92 percent). Nothing of it was booked." in doubted.reason
    )
    rules.accept_feed(fed.world.runtime, "3PL", person=PERSON)
    fed.world.run()
    assert [fed.town.shops["Web"].available(sku) for sku in SKUS] == [0] * 23 + [9] * 2


def one_by_one(fed: Fed, units: int, skus: list[str], **pause: int) -> None:
    for sku in skus:
        fed.warehouse.add_product(sku, on_hand=units)
        operate.sync_now(fed.world.runtime, fed.id, person=PERSON)
        fed.world.run()
        fed.world.later(**pause)


def test_figures_that_come_one_by_one_are_doubted_from_the_twentieth_on(fed: Fed) -> None:
    one_by_one(fed, 0, SKUS[:23], seconds=5)
    (doubted,) = rules.doubted_feeds(fed.world.runtime)
    assert doubted.figures == 4
    assert "19 of them were booked before that was seen" in doubted.reason
    assert [fed.town.shops["Web"].available(sku) for sku in SKUS] == [0] * 19 + [5] * 6
    one_by_one(fed, 7, SKUS[24:], seconds=5)
    assert fed.town.shops["Web"].available(SKUS[24]) == 7, "a single figure is booked by itself"


def test_articles_that_sell_out_over_the_day_are_no_reason_for_doubt(fed: Fed) -> None:
    one_by_one(fed, 0, SKUS[:23], minutes=5)
    assert rules.doubted_feeds(fed.world.runtime) == []


def test_what_a_person_has_accepted_brings_no_doubt_on_what_comes_next(fed: Fed) -> None:
    fed.state(0, SKUS[:23])
    rules.accept_feed(fed.world.runtime, "3PL", person=PERSON)
    fed.state(3, SKUS[23:24])
    fed.state(0, SKUS[24:])
    assert [fed.town.shops["Web"].available(sku) for sku in SKUS] == [0] * 23 + [3, 0]
    assert rules.doubted_feeds(fed.world.runtime) == []


def test_a_person_who_accepts_a_doubted_feed_has_it_booked(fed: Fed) -> None:
    fed.state(0, SKUS[:23])
    assert rules.accept_feed(fed.world.runtime, "3PL", person=PERSON) == 23
    fed.world.run()
    assert [fed.town.shops["Web"].available(sku) for sku in SKUS] == [0] * 23 + [5] * 2
    assert rules.doubted_feeds(fed.world.runtime) == []


def test_a_doubted_feed_that_is_accepted_later_counts_for_what_was_promised_meanwhile(fed: Fed) -> None:
    fed.state(0, SKUS[:23])
    fed.world.later(minutes=5)
    operate.reserve(fed.world.runtime, [operate.ReserveLine("SKU-00", 1, "3PL")], ("checkout", "cart"), person=PERSON)
    rules.accept_feed(fed.world.runtime, "3PL", person=PERSON)
    fed.world.run()
    assert [fed.world.on_shelf()["3PL"].get(sku) for sku in SKUS[:2]] == [(0, -1, 0), None]
    assert fed.town.shops["Web"].available("SKU-00") == 0


def test_a_doubted_feed_that_is_refused_changes_nothing(fed: Fed) -> None:
    fed.state(0, SKUS[:23])
    assert rules.refuse_feed(fed.world.runtime, "3PL", person=PERSON) == 23
    fed.read()
    assert (fed.shown(), rules.doubted_feeds(fed.world.runtime)) == ({5}, [])


@pytest.mark.parametrize("hours", [0, 3])
def test_a_doubted_feed_that_is_only_replayed_is_doubted_again(fed: Fed, hours: int) -> None:
    fed.state(0, SKUS[:23])
    fed.world.later(hours=hours)
    with fed.world.db.read() as tx:
        ids = inbox.parked_for(tx, fed.id, availability.IMPLAUSIBLE)
    operate.replay(fed.world.runtime, person=PERSON, ids=ids)
    fed.world.run()
    assert (fed.shown(), rules.doubted_feeds(fed.world.runtime)[0].figures) == ({5}, 23)


def test_a_few_articles_that_sell_out_are_no_reason_for_doubt(fed: Fed) -> None:
    fed.state(0, SKUS[:19])
    assert [fed.town.shops["Web"].available(sku) for sku in SKUS] == [0] * 19 + [5] * 6


def test_a_connection_may_be_believed_whatever_it_states(fed: Fed) -> None:
    rules.set_channel(fed.world.runtime, "3PL", person=PERSON, feed_guard_percent=0)
    fed.state(0, SKUS[:23])
    assert [fed.town.shops["Web"].available(sku) for sku in SKUS] == [0] * 23 + [5] * 2


@pytest.mark.parametrize(
    ("changes", "doubted"),
    [
        ([(400, 0)] * 92 + [(400, 400)] * 8, True),
        ([(400, 0)] * 50 + [(400, 400)] * 50, True),
        ([(400, 0)] * 49 + [(400, 400)] * 51, False),
        ([(400, 0)] * 19, False),
        ([(0, 0)] * 500, False),
        ([(0, 0)] * 500 + [(1, 0)] * 20, True),
    ],
)
def test_a_feed_is_doubted_from_half_of_what_had_stock_and_twenty_articles_on(
    changes: list[tuple[int, int]], doubted: bool
) -> None:
    assert emptying(changes).is_implausible(50) == doubted


def test_a_feed_that_says_the_same_again_confirms_its_figures(fed: Fed) -> None:
    fed.overdue_after(60)
    assert fed.trust("SKU-00") == ["fresh"]
    fed.world.later(hours=2)
    assert fed.trust("SKU-00") == ["stale"]
    fed.read()  # nothing has changed there, and the feed was read to its end
    assert fed.trust("SKU-00") == ["fresh"]


def test_an_overdue_feed_may_lower_what_is_told_and_not_raise_it(fed: Fed) -> None:
    fed.overdue_after(60)
    fed.world.later(hours=2)
    fed.stock_meanwhile("location SKU-00 SKU-01\n3PL 9 2")
    assert [fed.town.shops["Web"].available(sku) for sku in SKUS[:2]] == [5, 2]
    fed.state(9, SKUS[:1])
    assert fed.town.shops["Web"].available("SKU-00") == 9


def test_own_stock_raises_a_figure_beside_an_overdue_feed(fed: Fed) -> None:
    fed.overdue_after(60)
    fed.world.later(hours=2)
    fed.stock_meanwhile("location SKU-00\nS1 40")
    assert fed.town.shops["Web"].available("SKU-00") == 40  # of 45 only these are known for sure


def test_nothing_is_told_of_an_article_that_the_feed_has_not_spoken_of(fed: Fed) -> None:
    fed.overdue_after(60)
    with fed.world.db.begin() as tx:
        tx.execute(update(stock_position).values(verified_at=None))
    fed.stock_meanwhile("location SKU-00\n3PL 1")
    assert fed.trust("SKU-00") == ["unknown"]
    assert fed.town.shops["Web"].available("SKU-00") == 5


@pytest.mark.parametrize("said", ["count", "figure", "same figure"])
def test_a_count_or_a_figure_of_a_person_confirms_what_no_feed_tells_of(town: Town, said: str) -> None:
    town.list_articles("MUG")
    rules.set_location(town.world.runtime, "S1", person=PERSON, stale_after_min=60)
    town.stock("location MUG\nS1 8")
    assert town.shown("MUG") == {"Web": 0, "Market": 0}, "nobody has said yet that they are there"
    if said == "count":
        _count(town.world, "S1", "MUG", 8)
    else:
        units = 8 if said == "same figure" else 7
        operate.adjust_stock(town.world.runtime, "MUG", "S1", set_to=units, person=PERSON, reason="count")
    town.world.run()
    assert set(town.shown("MUG").values()) == {7 if said == "figure" else 8}
    town.world.later(hours=2)
    operate.adjust_stock(town.world.runtime, "MUG", "S1", change=5, person=PERSON, reason="found")
    town.world.run()
    assert set(town.shown("MUG").values()) == {7 if said == "figure" else 8}, "so many is not how many there are"


def _count(world: World, code: str, sku: str, units: int) -> None:
    number = counts.create_count(world.runtime, code, skus=[sku], assignee=PERSON, person=PERSON)
    counts.start_count(world.runtime, number, person=PERSON)
    counts.enter_count(world.runtime, number, sku, units, person=PERSON)
    counts.review_count(world.runtime, number, person=PERSON)
    counts.apply_count(world.runtime, number, person=PERSON)


def test_while_a_feed_is_doubted_reading_it_confirms_nothing(fed: Fed) -> None:
    fed.overdue_after(60)
    fed.state(0, SKUS[:23])
    fed.world.later(hours=2)
    fed.read()
    assert fed.trust("SKU-24") == ["stale"]


def test_the_explanation_on_the_page_is_the_reckoning_behind_the_figure(town: Town) -> None:
    town.list_articles("MUG")
    town.stock("location MUG\nS1 30\nS2 7")
    town.add("threshold", 5, channel="Web")
    row = town.world.read(lambda tx: stock_view.article(tx, "MUG"))
    told = {one.channel: one for one in row.channels}
    assert (told["Web"].told, told["Web"].is_due) == (32, False)
    assert told["Web"].offer is not None
    assert [(step.text, step.left) for step in told["Web"].offer.steps] == [
        ("S1 has 30 units available", 30),
        ("S2 has 7 units available", 37),
        ("5 units kept from this channel", 32),
    ]
    assert town.world.now() - told["Web"].told_at < timedelta(minutes=1)  # type: ignore[operator]
