"""A backup is put in place of a database that had gone on: nothing leaves twice, and the channels are told anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.engine.doors import due_doors, open_door
from hub.flows import operate
from hub.flows.operate import NotDoneError
from hub.store import cursors
from hub.store.tables import fulfillment_order, hold, listing, orders, outbox
from hub.testing import Fault
from tests.cli.conftest import Shell, shell_on
from tests.scenarios.test_main_road import Town

PERSON = "mia@example.com"
AT_THE_3PL = """
    location MUG
    EAST      10 """
IN_HOUSE = """
    location MUG
    WEST      10 """
ALL = ("Web shop", "3PL", "Carrier", "Books")


@dataclass
class Vault:
    """Backs the town's database up and restores it, by the commands that a person gives."""

    town: Town
    shell: Shell

    def back_up(self) -> None:
        self.shell.run("backup", "copy.bak")

    def restore(self) -> None:
        self.town.world.db.dispose()
        self.shell.run("restore", "copy.bak", "--force")

    def read_channels(self) -> None:
        """The polls have their turn; what they bring is handled."""
        self.town.world.later(minutes=20)
        self.town.world.run()

    def release(self) -> None:
        """Every connection may send again, and has the time to."""
        for name in ALL:
            operate.release_outbox(self.town.world.runtime, name, person=PERSON)
        for _ in range(4):
            self.town.world.run()
            self.town.world.later(minutes=6)


@pytest.fixture
def vault(town: Town, migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    with town.world.db.begin() as tx:
        cursors.ensure(tx, town.shop_id, {"orders": town.world.now()})
    town.world.run()
    return Vault(town, shell_on(migrated_url, tmp_path, monkeypatch))


def statuses(town: Town, operation: str) -> list[str]:
    return town.column(outbox.c.status, outbox.c.operation == operation)


def test_an_order_that_was_handed_over_after_the_backup_is_handed_over_once(vault: Vault) -> None:
    town = vault.town
    town.world.stock(AT_THE_3PL)
    vault.back_up()
    order = town.shop.place_order([("MUG", 1)])
    town.send("orders/create", order)
    town.world.run()
    [number] = [one["order_number"] for one in town.threepl.orders]

    vault.restore()
    vault.read_channels()
    assert town.column(fulfillment_order.c.number) == [number], "it has the name under which it is known there"
    assert set(town.column(outbox.c.status)) == {"held"}
    vault.release()
    assert len(town.threepl.orders) == 1
    assert len(town.erp.orders()) == 1

    town.ship_all()
    assert town.column(orders.c.lifecycle) == ["completed"]
    assert len(town.shop.fulfillments(order.id)) == 1
    assert len(town.erp.invoices()) == 1


def test_an_order_that_shipped_and_was_told_of_after_the_backup_is_told_of_once(vault: Vault) -> None:
    town = vault.town
    town.world.stock(AT_THE_3PL)
    vault.back_up()
    order = town.shop.place_order([("MUG", 1)])
    town.send("orders/create", order)
    town.world.run()
    town.ship_all()
    [shipped] = town.column(outbox.c.reference, outbox.c.operation == "confirm")

    vault.restore()
    vault.read_channels()
    vault.release()
    headers, body = town.threepl.webhook("Shipment Update", town.threepl.orders[0]["order_number"])
    town.world.deliver(town.threepl_id, headers, body)
    vault.release()
    assert town.column(outbox.c.reference, outbox.c.operation == "confirm") == [shipped]
    assert len(town.shop.fulfillments(order.id)) == 1
    assert len(town.threepl.orders) == len(town.erp.orders()) == len(town.erp.invoices()) == 1


def test_a_label_that_was_bought_after_the_backup_is_not_bought_again(vault: Vault) -> None:
    town = vault.town
    town.world.stock(IN_HOUSE)
    vault.back_up()
    town.send("orders/create", town.shop.place_order([("MUG", 1)]))
    town.world.run()
    vault.restore()
    vault.read_channels()
    vault.release()
    assert len(town.carrier.bought) == 1
    assert town.column(orders.c.lifecycle) == ["completed"]


def test_an_order_that_is_read_after_the_release_is_looked_up_all_the_same(vault: Vault) -> None:
    town = vault.town
    town.world.stock(AT_THE_3PL)
    vault.back_up()
    town.send("orders/create", town.shop.place_order([("MUG", 1)]))
    town.world.run()
    vault.restore()
    vault.release()
    vault.read_channels()
    vault.release()
    assert statuses(town, "submit") == ["delivered"]
    assert len(town.threepl.orders) == 1


def test_an_order_that_was_released_and_left_after_the_backup_does_not_leave_again(vault: Vault) -> None:
    town = vault.town
    town.world.stock(AT_THE_3PL)
    town.send("orders/create", town.shop.place_order([("MUG", 1)], risk="HIGH"))
    town.world.run()
    vault.read_channels()
    [order_id], [held] = town.column(orders.c.id), town.column(hold.c.id, hold.c.state == "active")
    vault.back_up()
    operate.release_hold(town.world.runtime, order_id, held, person=PERSON)
    town.world.run()
    assert len(town.threepl.orders) == 1

    vault.restore()
    vault.release()
    operate.release_hold(town.world.runtime, order_id, held, person=PERSON)
    vault.release()
    assert statuses(town, "submit") == ["delivered"]
    assert len(town.threepl.orders) == 1


def test_an_order_of_after_the_restore_is_handed_over_without_a_look_up(vault: Vault) -> None:
    town = vault.town
    town.world.stock(AT_THE_3PL)
    vault.back_up()
    vault.restore()
    vault.release()
    town.shop.state.clock = town.world.now
    town.world.later(hours=1)
    town.send("orders/create", town.shop.place_order([("MUG", 1)]))
    town.world.run()
    assert len(town.threepl.orders) == 1
    assert town.threepl.count("orders(") == 0


def take_in(town: Town) -> None:
    """Let the inbox be handled and nothing leave yet."""
    for door in sorted(due_doors(town.world.runtime)):
        if door.startswith("inbox"):
            open_door(town.world.runtime, door)


def test_what_left_after_the_backup_and_is_cancelled_then_is_called_back(vault: Vault) -> None:
    town = vault.town
    town.world.stock(AT_THE_3PL)
    order = town.shop.place_order([("MUG", 1)])
    town.send("orders/create", order)
    take_in(town)
    vault.back_up()
    town.world.run()
    assert len(town.threepl.orders) == 1

    vault.restore()
    town.world.later(seconds=5)
    town.send("orders/cancelled", town.shop.cancel_order(order.id))
    town.world.run()
    assert town.column(orders.c.lifecycle) == ["open"], "nobody knows whether it left"
    vault.release()
    assert [one["fulfillment_status"] for one in town.threepl.orders] == ["canceled"]
    assert town.column(orders.c.lifecycle) == ["cancelled"]
    assert town.world.on_shelf() == {"EAST": {"MUG": (10, 10, 0)}}


def test_what_never_left_and_is_cancelled_after_the_restore_never_leaves(vault: Vault) -> None:
    town = vault.town
    town.world.stock(AT_THE_3PL)
    order = town.shop.place_order([("MUG", 1)])
    town.send("orders/create", order)
    take_in(town)
    vault.back_up()
    vault.restore()
    town.world.later(seconds=5)
    town.send("orders/cancelled", town.shop.cancel_order(order.id))
    town.world.run()
    vault.release()
    assert statuses(town, "submit") == ["superseded"]
    assert town.threepl.count("order_create") == 0
    assert town.column(orders.c.lifecycle) == ["cancelled"]
    assert town.world.on_shelf() == {"EAST": {"MUG": (10, 10, 0)}}


@pytest.mark.parametrize("by_hand", [operate.ship_by_hand, lambda *a, **k: operate.refuse_by_hand(*a, "broken", **k)])
def test_what_may_have_left_is_neither_shipped_nor_refused_by_hand(vault: Vault, by_hand: Callable[..., bool]) -> None:
    town = vault.town
    town.world.stock(AT_THE_3PL)
    town.send("orders/create", town.shop.place_order([("MUG", 1)]))
    take_in(town)
    vault.back_up()
    vault.restore()
    [order_id], [number] = town.column(orders.c.id), town.column(fulfillment_order.c.number)
    with pytest.raises(NotDoneError, match="shipped twice"):
        by_hand(town.world.runtime, order_id, number, person=PERSON)
    assert statuses(town, "submit") == ["held"]


def test_what_was_given_up_before_the_backup_is_looked_up_before_it_is_sent_again(vault: Vault) -> None:
    town = vault.town
    town.world.stock(AT_THE_3PL)
    town.threepl.faults.append(Fault("error_500", match="order_create", times=100))
    town.send("orders/create", town.shop.place_order([("MUG", 1)]))
    for _ in range(40):
        town.world.run()
        town.world.later(hours=1)
    [given_up] = town.column(outbox.c.id, outbox.c.operation == "submit", outbox.c.status == "dead")
    vault.back_up()
    town.threepl.faults.clear()
    operate.retry(town.world.runtime, [given_up], person=PERSON)
    town.world.run()
    assert len(town.threepl.orders) == 1

    vault.restore()
    vault.release()
    assert statuses(town, "submit") == ["dead"], "what was given up stays so until a person says otherwise"
    [order_id], [number] = town.column(orders.c.id), town.column(fulfillment_order.c.number)
    with pytest.raises(NotDoneError, match="shipped twice"):
        operate.ship_by_hand(town.world.runtime, order_id, number, person=PERSON)
    operate.retry(town.world.runtime, [given_up], person=PERSON)
    vault.release()
    assert statuses(town, "submit") == ["delivered"]
    assert len(town.threepl.orders) == 1


def test_what_is_written_as_held_while_the_connection_is_let_go_is_not_forgotten(vault: Vault) -> None:
    town = vault.town
    town.world.stock(AT_THE_3PL)
    vault.back_up()
    vault.restore()
    town.send("orders/create", town.shop.place_order([("MUG", 1)]))
    take_in(town)
    with town.world.db.begin() as tx:  # a release that had begun before the order was written, and ended after it
        from hub.store import connections

        connections.set_options(tx, town.threepl_id, {"outbox_held": False})
    town.world.run()
    assert statuses(town, "submit") == ["delivered"]


def test_a_channel_is_told_what_is_on_the_shelf_of_the_backup(vault: Vault) -> None:
    town = vault.town
    town.world.stock(AT_THE_3PL)
    town.world.run()
    vault.back_up()
    town.world.stock("""
        location MUG
        EAST      25 """)
    town.world.run()
    assert town.shop.available("MUG") == 25

    vault.restore()
    vault.read_channels()
    assert town.shop.available("MUG") == 25, "nothing is told before the channels were read"
    vault.release()
    assert town.shop.available("MUG") == 10
    assert (
        town.world.read(
            lambda tx: tx.execute(select(listing.c.id).where(listing.c.stock_rev > listing.c.published_rev)).all()
        )
        == []
    )
