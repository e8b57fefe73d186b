"""Changes, cancellations, shipping and refusals in any order: units and money are what a small model says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from sqlalchemy import func, select

from connectors.erp.odoo.sandbox import OdooSandbox
from connectors.shopify.sandbox import ShopifySandbox
from connectors.threepl.shiphero.sandbox import ShipHeroSandbox
from hub import schemas
from hub.domain.changes import OURS, AddLine, SetQuantity, rest
from hub.domain.shipping import Cancelled, Submitted
from hub.flows import amend, enter, operate, settle
from hub.flows.desk import Desk, open_desk
from hub.flows.enter import Incoming
from hub.flows.operate import NotDoneError
from hub.flows.operate.orders import at_desk
from hub.flows.refill import refill
from hub.flows.ship import Parcel, everything, ship
from hub.store import catalog, invariants, ledger, orders, outbox
from hub.store.database import new_id
from hub.store.orders import FoState, OrderState
from hub.store.tables import hold, order_change, stock_position
from hub.store.tables import outbox as outbox_rows
from hub.testing.world import World
from tests.machines import Fresh, StoredMachine, walk

PERSON = "mia@example.com"
SKUS = ("MUG", "TEE")
UNITS = st.integers(0, 5)
ADDRESS = {"line1": "1 Wall Street", "city": "New York", "postal_code": "10005", "country": "US"}
PRICE = 333  # of an article that is added by hand


@dataclass
class Model:
    """What is known of one order without asking the hub. Quantities are by the channel's line id."""

    order_id: str
    external_id: str
    bought: dict[str, tuple[int, int]]  # (quantity, total) as first stated
    stated: dict[str, int]  # by the channel, now
    wanted: dict[str, int]  # here, now
    basis: dict[str, tuple[int, int]] = field(default_factory=dict)  # (quantity, total) by which a line is priced
    added: Counter[str] = field(default_factory=Counter)
    shipped: Counter[str] = field(default_factory=Counter)
    revision: int = 1
    there_cancelled: bool = False
    cancelled: bool = False
    moved: int = 0  # what all changes so far have moved the order's price by

    def cost(self, key: str, quantity: int) -> int:
        of, total = self.basis[key]
        return rest(total, of, quantity)

    def price(self) -> int:
        """What the order costs at the quantities wanted here."""
        return sum(self.cost(key, units) for key, units in self.wanted.items()) + PRICE * sum(self.added.values())

    def state_quantity(self, key: str, quantity: int) -> None:
        """The channel states a quantity, and what that many cost. Of a line that it takes off, the last word counts."""
        self.stated[key] = quantity
        if quantity:
            of, total = self.bought[key]
            self.basis[key] = (quantity, rest(total, of, quantity))

    def want(self, key: str, quantity: int) -> None:
        """A person wants a quantity. What the channel does not state any more costs what it cost here."""
        if not self.stated[key]:
            self.basis[key] = (self.wanted[key], self.cost(key, self.wanted[key]))
        self.wanted[key] = quantity

    @property
    def first_price(self) -> int:
        return sum(total for _, total in self.bought.values())

    def settle_price(self, after: int) -> None:
        self.moved = after - self.first_price


class Changes(StoredMachine):
    @initialize()
    def open(self) -> None:
        self.world = World(self.db)
        self.numbers = count(1)
        self.models: list[Model] = []
        self.flying: list[dict[str, Any]] = []
        self.build()
        self.world.stock("location MUG TEE CAP\nHAND 4 4 9\nHOUSE 6 6 9")
        self.came: Counter[str] = Counter({"MUG": 10, "TEE": 10, "CAP": 18})
        self.variants = self.world.read(lambda tx: catalog.variants_by_sku(tx, self.came))

    def build(self) -> None:
        """A shop, a 3PL, an ERP and a place of each kind."""
        shop, house = ShopifySandbox(), ShipHeroSandbox()
        settings = {"shop": shop.shop, "access_token": shop.token, "webhook_secret": shop.webhook_secret}
        self.channel = self.world.connect("shopify", "Shop", settings)
        self.threepl = self.world.connect(
            "shiphero", "3PL", {"shop_name": "demo", "refresh_token": house.refresh_token}
        )
        self.world.connect("odoo", "Books", OdooSandbox(url="http://127.0.0.1:9").settings())
        self.world.location("HAND")
        self.world.location("HOUSE", handling="threepl", handler_id=self.threepl, kind="3pl")

    def teardown(self) -> None:
        with self.held, self.db.read() as tx:
            assert ledger.differences(tx) == []
            assert invariants.every(tx) == []

    # -- what happens

    @precondition(lambda self: len(self.models) < 3)
    @rule(mug=st.integers(1, 5), tee=UNITS, cents=st.integers(1, 2000))
    def an_order_comes(self, mug: int, tee: int, cents: int) -> None:
        number = f"M{next(self.numbers)}"
        bought = {f"{number}:MUG": (mug, 10 * cents + 7), f"{number}:TEE": (tee, 3 * cents * tee)}
        model = Model("", number, bought, {}, {})
        model.stated = {key: quantity for key, (quantity, _) in bought.items()}
        model.wanted, model.basis = dict(model.stated), dict(bought)
        document = self.document(model)
        with self.db.begin() as tx:
            desk = self.desk(tx)
            model.order_id = enter.enter(desk, self.incoming(document), self.articles()).id
            desk.flush()
        self.models.append(model)

    @precondition(lambda self: self.models)
    @rule(data=st.data(), sku=st.sampled_from(SKUS), quantity=UNITS)
    def a_person_changes_a_line(self, data: Any, sku: str, quantity: int) -> None:
        model = self.one_of(data)
        key = f"{model.external_id}:{sku}"
        gone = quantity < min(model.shipped[key], model.wanted[key])
        refused = model.cancelled or gone or quantity == model.wanted[key]
        refused |= model.stated[key] == model.wanted[key] == 0  # nobody knows what it would cost
        if self.person_does(model, SetQuantity(key, quantity), refused=refused):
            model.want(key, quantity)
            model.settle_price(model.price())

    @precondition(lambda self: self.models)
    @rule(data=st.data(), quantity=st.integers(1, 3))
    def a_person_adds_an_article(self, data: Any, quantity: int) -> None:
        model = self.one_of(data)
        key = f"{OURS}{next(self.numbers)}"
        if self.person_does(model, AddLine(key, "CAP", quantity, PRICE), refused=model.cancelled):
            model.added[key] = quantity
            model.settle_price(model.price())

    @precondition(lambda self: any(model.added for model in self.models))
    @rule(data=st.data(), quantity=st.integers(0, 3))
    def a_person_changes_what_was_added(self, data: Any, quantity: int) -> None:
        model = self.one_of(data, added=True)
        key = data.draw(st.sampled_from(list(model.added)))
        gone = quantity < min(model.shipped[key], model.added[key])
        refused = model.cancelled or gone or quantity == model.added[key]
        if self.person_does(model, SetQuantity(key, quantity), refused=refused):
            model.added[key] = quantity
            model.settle_price(model.price())

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def a_person_cancels(self, data: Any) -> None:
        model = self.one_of(data)
        lifecycle = self.state(model).lifecycle
        done = False
        try:
            done = operate.cancel_order(self.world.runtime, model.order_id, "they called", person=PERSON)
        except NotDoneError:
            assert lifecycle == "completed"
        assert done == (lifecycle != "completed" and not model.cancelled)
        if done:
            self.cancelled(model)

    @precondition(lambda self: self.models)
    @rule(data=st.data(), sku=st.sampled_from(SKUS), quantity=UNITS)
    def the_channel_changes_a_line(self, data: Any, sku: str, quantity: int) -> None:
        model = self.one_of(data)
        self.the_channel_states(model, f"{model.external_id}:{sku}", quantity)

    def the_channel_states(self, model: Model, key: str, quantity: int) -> None:
        before, ours = model.stated[key], model.wanted[key]
        model.state_quantity(key, quantity)
        self.channel_says(model)
        if not model.cancelled:
            model.wanted[key] = quantity if ours in (before, quantity) else ours
            if model.price() != model.first_price + model.moved:
                model.settle_price(model.price())

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def the_channel_cancels(self, data: Any) -> None:
        self.the_channel_cancels_it(self.one_of(data))

    def the_channel_cancels_it(self, model: Model) -> None:
        model.there_cancelled = True
        self.channel_says(model)
        if not model.cancelled:
            self.cancelled(model)

    @precondition(lambda self: self.models)
    @rule(data=st.data(), sku=st.sampled_from(SKUS), more=st.integers(1, 3))
    def an_order_is_completed_and_grows_and_is_completed_again(self, data: Any, sku: str, more: int) -> None:
        model = self.one_of(data)
        key = f"{model.external_id}:{sku}"
        self.holds_are_released()
        self.everything_leaves(model)
        if self.state(model).lifecycle != "completed" or model.cancelled:
            return
        if not model.shipped[key] <= model.stated[key] == model.wanted[key]:
            return
        self.the_channel_states(model, key, model.stated[key] + more)
        assert self.state(model).lifecycle == "open"
        self.goods_come_in("HAND", sku, more)
        self.everything_leaves(model)

    @precondition(lambda self: self.models)
    @rule(data=st.data(), sku=st.sampled_from(SKUS))
    def a_place_that_refused_to_stop_is_asked_again(self, data: Any, sku: str) -> None:
        model = self.one_of(data)
        key = f"{model.external_id}:{sku}"
        self.all_is_answered()
        if not model.cancelled and model.stated[key] == model.wanted[key] > model.shipped[key]:
            self.the_channel_states(model, key, model.stated[key] - 1)
            self.all_is_answered(stops=False)
            self.the_channel_cancels_it(model)
            assert "cancellation_rejected" not in [fo.request_status for fo in self.state(model).fos if fo.is_live]

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def the_channel_says_the_same_again(self, data: Any) -> None:
        self.channel_says(self.one_of(data))

    @rule()
    def messages_leave(self) -> None:
        """The outbox is claimed, and the answers come later."""
        with self.db.begin() as tx:
            now = self.world.now()
            self.flying += outbox.claim(tx, self.threepl, new_id(), now, 4, self.world.runtime.sending_time)

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), answer=st.sampled_from([True, None, False]))
    def the_3pl_answers(self, data: Any, answer: bool | None) -> None:
        row = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        self.answered(row, answer if row["operation"] == "submit" else answer is not False)

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def goods_leave(self, data: Any) -> None:
        """What a place holds leaves, also from one that was asked to stop."""
        found = [(model, fo) for model in self.models for fo in self.state(model).fos if fo.is_live and fo.live_units]
        if not found:
            return
        self.leaves(*data.draw(st.sampled_from(found)))

    def leaves(self, model: Model, fo: FoState) -> None:
        if fo.handling == "threepl" and fo.request_status == "unsubmitted":
            return
        parts = self.parts(model, fo)

        def work(desk: Desk, state: OrderState) -> bool:
            mine = next(one for one in state.fos if one.id == fo.id)
            at = {"connection_id": None, "external_id": None, "shipped_at": desk.now}
            ship(desk, state, mine, [Parcel(everything(mine))], **at)
            return True

        assert at_desk(self.world.runtime, model.order_id, PERSON, work)
        model.shipped.update(parts)

    def everything_leaves(self, model: Model) -> None:
        """The 3PL answers all it was asked, and all that places hold of an order leaves."""
        self.all_is_answered()
        for fo in self.state(model).fos:
            if fo.is_live and fo.live_units:
                self.leaves(model, fo)

    @precondition(lambda self: self.models)
    @rule(data=st.data())
    def a_place_refuses(self, data: Any) -> None:
        found = [(model, fo) for model in self.models for fo in self.state(model).fos if fo.is_live]
        found = [(model, fo) for model, fo in found if fo.handling == "manual" and fo.request_status == "unsubmitted"]
        if not found:
            return
        model, fo = data.draw(st.sampled_from(found))
        code = "no_capacity"
        assert operate.refuse_by_hand(self.world.runtime, model.order_id, fo.number, "full", person=PERSON, code=code)

    @rule(place=st.sampled_from(["HAND", "HOUSE"]), sku=st.sampled_from(SKUS), units=st.integers(1, 4))
    def goods_come_in(self, place: str, sku: str, units: int) -> None:
        operate.adjust_stock(self.world.runtime, sku, place, change=units, reason="delivery", person=PERSON)
        self.came[sku] += units
        while refill(self.world.runtime):
            pass

    @rule()
    def holds_are_released(self) -> None:
        mine = [model.order_id for model in self.models]
        ids = self.ask(select(hold.c.id).where(hold.c.state == "active", hold.c.order_id.in_(mine)))
        operate.release_holds(self.world.runtime, ids, person=PERSON)

    # -- what must be true

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        mine = {model.order_id: model for model in getattr(self, "models", ())}
        if not mine:
            return
        states = self.world.read(lambda tx: orders.load(tx, list(mine), lock=False))
        pairs = [(model, states[order_id]) for order_id, model in mine.items()]
        self.stock_adds_up([state for _, state in pairs])
        for model, state in pairs:
            self.units_are_where_they_should_be(model, state)
            self.money_adds_up(model, state)
            self.every_unit_of_a_finished_order_is_billed_once(model, state)

    def units_are_where_they_should_be(self, model: Model, state: OrderState) -> None:
        for line in state.lines:
            ours = line.external_id.startswith(OURS)
            wanted = (model.added if ours else model.wanted)[line.external_id]
            left = model.shipped[line.external_id]
            rows = [row for fo in state.fos for row in fo.lines if row.order_line_id == line.id]
            assert line.shipped == left == sum(row.shipped for row in rows)
            assert line.routed == sum(row.quantity - row.cancelled for row in rows)
            assert line.wanted == max(left if model.cancelled else wanted, left), (line, model)
            assert 0 <= line.unwanted <= line.routed - line.shipped
            assert line.cancelled + line.routed <= line.ordered
        if state.lifecycle == "cancelled":
            assert not any(fo.is_live for fo in state.fos)
            assert not any(model.shipped.values())

    def stock_adds_up(self, states: list[OrderState]) -> None:
        columns = stock_position.c
        sums = [columns.variant_id, *map(func.sum, (columns.on_hand, columns.committed, columns.available))]
        rows = self.world.read(lambda tx: tx.execute(select(*sums).group_by(columns.variant_id)).all())
        found = {variant_id: tuple(map(int, units)) for variant_id, *units in rows}
        live: Counter[str] = Counter()
        for row in (row for state in states for fo in state.fos for row in fo.lines):
            live[row.variant_id] += row.live
        for sku, came in self.came.items():
            left = sum(units for model in self.models for key, units in model.shipped.items() if self.sku(key) == sku)
            held = live[self.variants[sku]]
            assert found[self.variants[sku]] == (came - left, held, came - left - held)

    def money_adds_up(self, model: Model, state: OrderState) -> None:
        change = order_change.c
        done = select(change.delta_minor).where(change.order_id == model.order_id, change.status == "confirmed")
        assert sum(self.ask(done)) == model.moved, model
        if not model.cancelled:
            assert state.document["totals"]["total_minor"] == model.price(), model

    def every_unit_of_a_finished_order_is_billed_once(self, model: Model, state: OrderState) -> None:
        billed: Counter[str] = Counter()
        for line in self.billed(model):
            billed[line["reference"]] += line["quantity"]
        for line in state.lines:
            assert billed[line.id] <= line.shipped, model
            assert billed[line.id] == line.shipped or state.lifecycle != "completed", model

    # -- how it is done

    def all_is_answered(self, *, stops: bool = True) -> None:
        """The 3PL takes all it is handed, and stops or does not stop where it is asked to."""
        self.messages_leave()
        while self.flying:
            row = self.flying.pop()
            self.answered(row, stops or row["operation"] == "submit")
            self.messages_leave()

    def answered(self, row: dict[str, Any], answer: bool | None) -> None:
        submits = row["operation"] == "submit"
        result = Submitted(f"R-{row['id']}", answer) if submits else Cancelled(answer, "it is packed")
        with self.db.begin() as tx:
            settle.success(self.world.runtime, tx, row, result, set())

    def billed(self, model: Model) -> list[dict[str, Any]]:
        """The lines of all invoices."""
        mine = outbox_rows.c.order_id == model.order_id
        payloads = self.ask(select(outbox_rows.c.payload).where(mine, outbox_rows.c.operation == "post"))
        return [line for one in payloads if one["kind"] == "invoice" for line in one["lines"]]

    def one_of(self, data: Any, *, added: bool = False) -> Model:
        """An order. One of which every unit was taken off is cancelled, as soon as no place holds any of it."""
        model: Model = data.draw(st.sampled_from([one for one in self.models if one.added or not added]))
        model.cancelled |= self.state(model).lifecycle == "cancelled"
        return model

    def sku(self, key: str) -> str:
        return "CAP" if key.startswith(OURS) else key.partition(":")[2]

    def state(self, model: Model) -> OrderState:
        return self.world.read(lambda tx: orders.load(tx, [model.order_id], lock=False))[model.order_id]

    def ask(self, query: Any) -> list[Any]:
        return list(self.world.read(lambda tx: tx.execute(query).scalars().all()))

    def parts(self, model: Model, fo: FoState) -> dict[str, int]:
        lines = {line.id: line.external_id for line in self.state(model).lines}
        return {lines[row.order_line_id]: row.live for row in fo.lines if row.live}

    def desk(self, tx: Any) -> Desk:
        return open_desk(self.world.runtime, tx, set(self.variants.values()), actor="test")

    def articles(self) -> dict[tuple[str, str], tuple[str, int]]:
        return {(self.channel, f"sku:{sku}"): (variant_id, 1) for sku, variant_id in self.variants.items()}

    def document(self, model: Model) -> dict[str, Any]:
        lines = [
            {
                "external_id": key,
                "sku": self.sku(key),
                "quantity": model.stated[key],
                "total_minor": rest(total, of, model.stated[key]),
            }
            for key, (of, total) in model.bought.items()
        ]
        return {
            "external_id": model.external_id,
            "number": f"#{model.external_id}",
            "revision": f"{model.revision:04}",
            "placed_at": "2026-03-02T12:00:00Z",
            "currency": "USD",
            "status": "cancelled" if model.there_cancelled else "open",
            "payment_status": "paid",
            "lines": lines,
            "totals": {"taxes_included": True, "total_minor": sum(line["total_minor"] for line in lines)},
            "shipping_address": ADDRESS,
        }

    def incoming(self, document: dict[str, Any]) -> Incoming:
        order = schemas.parse("order.v1", document)
        return Incoming(new_id(), self.channel, document, order, schemas.fingerprint(document))

    def channel_says(self, model: Model) -> None:
        model.revision += 1
        document = self.document(model)
        with self.db.begin() as tx:
            states = orders.load(tx, [model.order_id])
            desk = self.desk(tx)
            desk.orders = dict(states)
            amend.amend(desk, self.incoming(document), states[model.order_id], self.articles())
            desk.flush()

    def person_does(self, model: Model, *asks: Any, refused: bool) -> bool:
        if refused:
            with pytest.raises(NotDoneError):
                operate.change_order(self.world.runtime, model.order_id, asks, person=PERSON)
            return False
        asked = operate.change_order(self.world.runtime, model.order_id, asks, person=PERSON)
        assert operate.confirm_change(self.world.runtime, asked.id, person=PERSON)
        return True

    def cancelled(self, model: Model) -> None:
        """From here on the order costs what has left of it; what was taken off before costs nothing again."""
        model.cancelled = True
        left = sum(
            model.cost(key, model.shipped[key]) for key in model.wanted if model.stated[key] or model.wanted[key]
        )
        model.settle_price(left + sum(PRICE * model.shipped[key] for key in model.added))


def test_units_and_money_are_kept_whatever_is_done_in_whatever_order(afresh: Fresh) -> None:
    walk(Changes, afresh)
