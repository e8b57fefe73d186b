"""Units kept for a checkout or a person: reserved once, given back once, given to an order in one step."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from connectors.shopify.sandbox import ShopifySandbox
from hub.flows import operate, stock_care
from hub.flows.desk import open_desk
from hub.flows.operate import NotDoneError, ReserveLine
from hub.flows.route import reserve_unrouted
from hub.store import catalog, orders, reservations
from hub.store.database import Database, new_id
from hub.store.ledger import StockBook
from hub.store.tables import (
    entity_event,
    kit_component,
    order_line,
    purchase_order,
    purchase_order_line,
    reservation,
    stock_move,
    stock_position,
    supplier,
    variant,
)
from hub.testing.world import World

PERSON = "mia@example.com"
CART = ("checkout", "cart-1")


@dataclass
class Yard:
    """A place of its own with ten mugs and five tees of its own, and a shop that sells them."""

    world: World
    mark: str = field(default_factory=lambda: new_id()[-8:])
    shop: ShopifySandbox = field(init=False)
    shop_id: str = field(init=False)

    def __post_init__(self) -> None:
        self.shop = ShopifySandbox(shop=f"{self.mark}.myshopify.com")
        signs = {"shop": self.shop.shop, "access_token": self.shop.token, "webhook_secret": self.shop.webhook_secret}
        self.shop_id = self.world.connect("shopify", self.shop.shop, signs)
        self.world.location(self.place, country="US")
        self.world.stock(f"location {self.sku('MUG')} {self.sku('TEE')}\n{self.place} 10 5")
        for name in ("MUG", "TEE"):
            self.shop.add_product(self.sku(name), "10.00", stock=0)

    @property
    def place(self) -> str:
        return f"WEST-{self.mark}"

    @property
    def runtime(self) -> Any:
        return self.world.runtime

    def sku(self, name: str) -> str:
        return f"{name}-{self.mark}"

    def article(self, name: str) -> str:
        return self.world.read(lambda tx: catalog.variants_by_sku(tx, [self.sku(name)]))[self.sku(name)]

    def line(self, name: str, units: int, *, here: bool = False) -> ReserveLine:
        return ReserveLine(self.sku(name), units, self.place if here else "")

    def keep(self, *lines: ReserveLine, owner: tuple[str, str] = CART, **more: Any) -> list[reservations.Reservation]:
        return operate.reserve(self.runtime, lines, owner, person=PERSON, **more)

    def buy(self, name: str, units: int) -> str:
        """An order placed and taken in; its id here."""
        placed = self.shop.place_order([(self.sku(name), units)])
        assert self.world.deliver(self.shop_id, *self.shop.webhook("orders/create", placed)).status == 200
        self.world.run()
        mine = select(order_line.c.order_id).where(order_line.c.sku == self.sku(name))
        return str(self.ask(mine.order_by(order_line.c.id.desc()).limit(1))[0])

    def ask(self, query: Any) -> list[Any]:
        return list(self.world.read(lambda tx: tx.execute(query).scalars().all()))

    def shelf(self, name: str = "MUG") -> tuple[int, int, int]:
        """(available, reserved, committed) of an article."""
        columns = (stock_position.c.available, stock_position.c.reserved, stock_position.c.committed)
        query = select(*columns).where(stock_position.c.variant_id == self.article(name))
        return tuple(self.world.read(lambda tx: tx.execute(query).one()))

    def moved(self, kind: str, name: str) -> list[int]:
        """Units of the article's moves of one kind."""
        here = select(stock_position.c.id).where(stock_position.c.variant_id == self.article(name))
        return self.ask(
            select(stock_move.c.quantity).where(stock_move.c.kind == kind, stock_move.c.position_id.in_(here))
        )

    def states(self, *names: str) -> list[str]:
        articles = [self.article(name) for name in names or ("MUG", "TEE")]
        mine = select(reservation.c.state).where(reservation.c.variant_id.in_(articles))
        return self.ask(mine.order_by(reservation.c.id))

    def limit(self, name: str, units: int | None, **more: Any) -> str:
        with self.world.db.begin() as tx:
            mine = update(variant).where(variant.c.sku == self.sku(name))
            tx.execute(mine.values(backorder_limit=units, **more))
        return self.article(name)


@pytest.fixture
def yard(store: Database) -> Yard:
    return Yard(World(store))


def test_units_of_a_place_leave_what_is_available_and_come_back_once(yard: Yard) -> None:
    (made,) = yard.keep(yard.line("MUG", 4, here=True))
    assert yard.shelf() == (6, 4, 0)
    for _ in range(3):
        operate.release_reservations(yard.runtime, [made.id], person=PERSON, reason="went away")
    assert yard.shelf() == (10, 0, 0)
    yard.world.later(days=1)
    yard.world.clock_strikes("minute")
    assert yard.shelf() == (10, 0, 0), "it had ended: it does not expire as well"
    assert yard.states() == ["released"]
    assert len(yard.ask(select(stock_move.c.id).where(stock_move.c.cause_id == made.id))) == 2


def test_a_request_is_kept_whole_or_not_at_all(yard: Yard) -> None:
    with pytest.raises(NotDoneError, match="6 units wanted from available and 5 are there"):
        yard.keep(yard.line("MUG", 1, here=True), yard.line("TEE", 6, here=True))
    assert (yard.shelf(), yard.shelf("TEE"), yard.states()) == ((10, 0, 0), (5, 0, 0), [])


def test_one_key_reserves_once_and_answers_alike(yard: Yard) -> None:
    first = yard.keep(yard.line("MUG", 2, here=True), yard.line("TEE", 1), key="k")
    assert yard.keep(yard.line("MUG", 2, here=True), yard.line("TEE", 1), key="k") == first
    assert yard.shelf() == (8, 2, 0)
    with pytest.raises(NotDoneError, match="came before with another request"):
        yard.keep(yard.line("MUG", 3, here=True), yard.line("TEE", 1), key="k")


def test_a_checkout_is_kept_for_15_minutes_and_a_persons_units_until_they_are_released(yard: Yard) -> None:
    yard.keep(yard.line("MUG", 1, here=True))
    yard.keep(yard.line("MUG", 2, here=True), owner=("person", "Mia"))
    yard.world.later(minutes=14)
    yard.world.clock_strikes("minute")
    assert yard.shelf() == (7, 3, 0)
    yard.world.later(minutes=2)
    yard.world.clock_strikes("minute")
    yard.world.later(days=30)
    yard.world.clock_strikes("minute")
    assert yard.shelf() == (8, 2, 0)
    assert yard.states() == ["expired", "active"]


def test_an_extended_reservation_lives_on_and_an_ended_one_cannot_be_extended(yard: Yard) -> None:
    (made,) = yard.keep(yard.line("MUG", 1, here=True), expires_in=timedelta(minutes=5))
    yard.world.later(minutes=4)
    operate.extend_reservations(yard.runtime, [made.id], timedelta(minutes=5), person=PERSON)
    yard.world.later(minutes=4)
    yard.world.clock_strikes("minute")
    assert yard.states() == ["active"]
    yard.world.later(minutes=2)
    with pytest.raises(NotDoneError, match="has ended"):
        operate.extend_reservations(yard.runtime, [made.id], timedelta(minutes=5), person=PERSON)


def test_no_more_is_promised_from_the_network_than_it_can_give(yard: Yard) -> None:
    yard.limit("MUG", 3)
    with pytest.raises(NotDoneError, match="14 units wanted and 13 can be promised"):
        yard.keep(yard.line("MUG", 14))
    yard.keep(yard.line("MUG", 9))
    yard.keep(yard.line("MUG", 4))
    with pytest.raises(NotDoneError, match="1 units wanted and 0 can be promised"):
        yard.keep(yard.line("MUG", 1))
    assert yard.shelf() == (10, 0, 0), "a promise of the network takes nothing from a place"


def test_two_lines_of_one_request_share_what_can_be_promised(yard: Yard) -> None:
    yard.limit("MUG", 0)
    with pytest.raises(NotDoneError, match="6 units wanted and 4 can be promised"):
        yard.keep(yard.line("MUG", 6), yard.line("MUG", 6))
    assert yard.states() == []


def test_what_purchase_orders_still_bring_can_be_promised_of_an_article_sold_ahead(yard: Yard) -> None:
    mug = yard.limit("MUG", 0)
    _purchase(yard, mug, ordered=8, received=3, status="partially_received")
    _purchase(yard, mug, ordered=50, received=0, status="draft")
    with pytest.raises(NotDoneError, match="11 units wanted and 10 can be promised"):
        yard.keep(yard.line("MUG", 11))
    yard.limit("MUG", 0, preorderable=True)
    with pytest.raises(NotDoneError, match="16 units wanted and 15 can be promised"):
        yard.keep(yard.line("MUG", 16))
    yard.keep(yard.line("MUG", 15))


def test_of_a_purchase_order_only_what_the_supplier_confirmed_can_be_promised(yard: Yard) -> None:
    mug = yard.limit("MUG", 0, preorderable=True)
    _purchase(yard, mug, ordered=8, acknowledged=3, received=0, status="acknowledged")
    with pytest.raises(NotDoneError, match="14 units wanted and 13 can be promised"):
        yard.keep(yard.line("MUG", 14))


def _purchase(
    yard: Yard, variant_id: str, *, ordered: int, received: int, status: str, acknowledged: int | None = None
) -> None:
    now, order_id, supplier_id = yard.world.now(), new_id(), new_id()
    with yard.world.db.begin() as tx:
        place = catalog.location_by_code(tx, yard.place).id
        tx.execute(insert(supplier).values(id=supplier_id, code=supplier_id[-8:], currency="EUR", created_at=now))
        tx.execute(
            insert(purchase_order).values(
                id=order_id, number=order_id[-8:], supplier_id=supplier_id, location_id=place, status=status,
                currency="EUR", created_by="test", created_at=now, updated_at=now,
            )
        )  # fmt: skip
        tx.execute(
            insert(purchase_order_line).values(
                id=new_id(),
                purchase_order_id=order_id,
                variant_id=variant_id,
                ordered=ordered,
                acknowledged=acknowledged,
                received=received,
            )
        )


def test_orders_that_wait_count_as_promised_too(yard: Yard) -> None:
    yard.buy("TEE", 7)
    yard.limit("TEE", 9)
    assert yard.states() == ["active"]
    with pytest.raises(NotDoneError, match="8 units wanted and 7 can be promised"):
        yard.keep(yard.line("TEE", 8))
    yard.keep(yard.line("TEE", 7))


def test_a_kit_keeps_all_its_components_or_none(yard: Yard) -> None:
    with yard.world.db.begin() as tx:
        ids = catalog.add_variants(tx, [{"sku": yard.sku(name)} for name in ("SET", "MUG", "TEE")], yard.world.now())
        for name, units in (("MUG", 2), ("TEE", 1)):
            tx.execute(
                insert(kit_component).values(
                    id=new_id(),
                    kit_variant_id=ids[yard.sku("SET")],
                    component_variant_id=ids[yard.sku(name)],
                    quantity=units,
                )
            )
    with pytest.raises(NotDoneError, match="nothing was reserved"):
        yard.keep(yard.line("SET", 6, here=True))
    assert (yard.shelf(), yard.shelf("TEE")) == ((10, 0, 0), (5, 0, 0))
    yard.keep(yard.line("SET", 3, here=True))
    assert (yard.shelf(), yard.shelf("TEE")) == ((4, 6, 0), (2, 3, 0))


def test_kept_units_go_to_the_order_and_to_nobody_before_it(yard: Yard) -> None:
    (made,) = yard.keep(yard.line("TEE", 5, here=True))
    order_id = yard.buy("TEE", 5)
    yard.buy("TEE", 1)
    assert yard.shelf("TEE") == (0, 5, 0)
    for _ in range(2):
        operate.convert_reservations(yard.runtime, [made.id], order_id, person=PERSON)
        yard.world.run()
    assert yard.shelf("TEE") == (0, 0, 5)
    assert yard.ask(select(order_line.c.routed).where(order_line.c.order_id == order_id)) == [5]
    assert [one.state for one in yard.world.read(lambda tx: reservations.find(tx, [made.id])).values()] == ["converted"]


def test_a_reservation_stays_when_the_order_takes_nothing_of_it(yard: Yard) -> None:
    (made,) = yard.keep(yard.line("TEE", 2, here=True))
    order_id = yard.buy("MUG", 1)
    with pytest.raises(NotDoneError, match="does not wait"):
        operate.convert_reservations(yard.runtime, [made.id], order_id, person=PERSON)
    assert yard.shelf("TEE") == (3, 2, 0)
    assert yard.states() == ["active"]


def test_what_waits_for_a_place_is_released_once_when_its_order_is_cancelled(yard: Yard) -> None:
    order_id = yard.buy("TEE", 7)
    for _ in range(2):
        operate.cancel_order(yard.runtime, order_id, "changed mind", person=PERSON)
        yard.world.run()
    assert yard.shelf("TEE") == (5, 0, 0)
    assert yard.states() == ["released"], "nobody took a unit of what waited"
    assert yard.moved("commit", "TEE") == yard.moved("release", "TEE") == [5]


def test_what_waits_has_one_reservation_however_often_it_is_looked_at(yard: Yard) -> None:
    order_id = yard.buy("TEE", 7)
    mine = select(reservation.c.id, reservation.c.quantity, reservation.c.state)
    mine = mine.where(reservation.c.variant_id == yard.article("TEE"))
    before = yard.world.read(lambda tx: tx.execute(mine).all())
    assert [row.quantity for row in before] == [2]
    with yard.world.db.begin() as tx:
        states = orders.load(tx, [order_id])
        desk = open_desk(yard.runtime, tx, {yard.article("TEE")}, actor="test")
        desk.orders = states
        for _ in range(2):
            reserve_unrouted(desk, states[order_id])
        desk.flush()
    assert yard.world.read(lambda tx: tx.execute(mine).all()) == before
    operate.adjust_stock(yard.runtime, yard.sku("TEE"), yard.place, change=2, reason="received", person=PERSON)
    yard.world.run()
    assert yard.states("TEE") == ["converted"]
    assert None not in yard.ask(select(reservation.c.ended_at).where(reservation.c.state == "converted"))


def test_the_audit_lets_go_what_belongs_to_nobody_and_says_so(yard: Yard) -> None:
    order_id = yard.buy("TEE", 7)
    operate.cancel_order(yard.runtime, order_id, "changed mind", person=PERSON)
    with yard.world.db.begin() as tx:
        mug, tee = yard.article("MUG"), yard.article("TEE")
        place = catalog.location_by_code(tx, yard.place).id
        line = tx.execute(select(order_line.c.id).where(order_line.c.order_id == order_id)).scalar_one()
        for owner, variant_id in (("no such line", mug), (line, tee)):
            row = {"id": new_id(), "owner_type": "order_line", "owner_id": owner, "variant_id": variant_id}
            tx.execute(insert(reservation).values(quantity=2, created_at=yard.world.now(), **row))
        book = StockBook.open(tx, {mug}, yard.world.now(), "test")
        wanted = [reservations.Wanted(mug, 3, place)]
        reservations.reserve(tx, book, wanted, ("transfer", "no such transfer"), expires_at=None)
        book.flush()
    (kept,) = yard.keep(yard.line("MUG", 1, here=True))
    assert yard.shelf() == (6, 4, 0)
    found = stock_care.audit(yard.runtime)
    assert {one["why"] for one in found.released} == {
        "its order line does not exist",
        "its order is cancelled",
        "its transfer does not exist",
    }
    assert yard.shelf() == (9, 1, 0)
    assert yard.states("MUG") == ["released", "released", "active"]
    assert kept.id not in {one["reservation"] for one in found.released}
    told = select(entity_event.c.message).where(entity_event.c.entity_type == "reservation")
    assert "The reservation ended: its transfer does not exist." in yard.ask(told)
    assert stock_care.audit(yard.runtime).released == [], "once is enough"


def test_an_orders_own_reservation_is_not_released_by_hand(yard: Yard) -> None:
    yard.buy("TEE", 7)
    (waiting,) = yard.ask(select(reservation.c.id).where(reservation.c.variant_id == yard.article("TEE")))
    with pytest.raises(NotDoneError, match="change that one instead"):
        operate.release_reservations(yard.runtime, [waiting], person=PERSON)


@pytest.mark.parametrize(
    ("sku", "units", "place", "owner", "words"),
    [
        ("MUG", 0, "", CART, "from 1 to"),
        ("???", 1, "", CART, "no article"),
        ("MUG", 1, "MOON", CART, "no location"),
        ("MUG", 1, "", ("order_line", "x"), "make their own"),
        ("MUG", 1, "", ("checkout", " "), "for whom"),
    ],
)
def test_what_makes_no_sense_is_not_reserved(yard: Yard, sku, units, place, owner, words) -> None:
    with pytest.raises(NotDoneError, match=words):
        yard.keep(ReserveLine(yard.sku(sku), units, place), owner=owner)
    with pytest.raises(NotDoneError, match="what is to be reserved"):
        yard.keep()
    assert yard.states() == []
