"""What the other pages read: stock, doors, connections, problems."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from hub.flows import operate
from hub.store.tables import fulfillment_order
from hub.store.views import connections, doors, problems, stock
from hub.store.views.doors import InboxQuery, OutboxQuery
from hub.store.views.stock import StockQuery
from hub.testing import Fault
from tests.operate.conftest import PERSON, Desk


def unreadable(desk: Desk, number: int) -> None:
    headers, body = desk.shop.webhook("orders/create", {"id": number})
    assert desk.world.deliver(desk.shop_id, headers, body).status == 200
    desk.world.run()


def found(desk: Desk, **query: object) -> list[problems.Problem]:
    return list(desk.world.read(lambda tx: problems.find(tx, desk.world.now(), **query)))  # type: ignore[arg-type]


def test_stock_shows_what_lies_where_and_what_is_promised(desk: Desk) -> None:
    desk.buy(("MUG", 4))
    desk.buy(("TEE", 8))
    mug, tee = desk.world.read(lambda tx: stock.find(tx, StockQuery())).rows
    assert (mug.sku, mug.on_hand, mug.available, mug.committed, mug.unrouted) == ("MUG", 10, 6, 4, 0)
    assert (tee.available, tee.unrouted) == (0, 3)
    assert [one.channel for one in mug.channels] == ["Web shop"]
    assert [row.sku for row in desk.world.read(lambda tx: stock.find(tx, StockQuery("mu"))).rows] == ["MUG"]
    assert [row.sku for row in desk.world.read(lambda tx: stock.find(tx, StockQuery(short=True))).rows] == ["TEE"]
    page = desk.world.read(lambda tx: stock.find(tx, StockQuery(limit=1)))
    assert [row.sku for row in desk.world.read(lambda tx: stock.find(tx, StockQuery(after=page.next))).rows] == ["TEE"]
    moves = desk.world.read(lambda tx: stock.ledger(tx, "MUG")).rows
    assert [(one.kind, one.quantity) for one in moves] == [("commit", 4), ("adjust", 10)]


def test_the_ledger_names_the_order_that_units_were_moved_for(desk: Desk) -> None:
    order_id = desk.buy(("MUG", 4))
    commit, opening = desk.world.read(lambda tx: stock.ledger(tx, "MUG")).rows
    assert [(commit.order_id, commit.order)] == [(order_id, "#1001")]
    assert desk.ask(select(fulfillment_order.c.order_id).where(fulfillment_order.c.number == commit.fo)) == [order_id]
    assert (opening.order_id, opening.order, opening.fo) == (None, None, None)


def test_the_doors_are_read_page_by_page(desk: Desk) -> None:
    for number in range(5):
        unreadable(desk, number)
    for statuses in (("dead",), ("dead", "retry_wait")):
        seen: list[str] = []
        after = ""
        while True:
            query = InboxQuery(statuses, desk.shop_id, after=after, limit=2)
            page = desk.world.read(lambda tx, query=query: doors.inbox_rows(tx, query))
            seen += [row.id for row in page.rows]
            if page.next is None:
                break
            after = page.next
        assert len(seen) == len(set(seen)) == 5
        assert seen == sorted(seen, reverse=True)
    detail = desk.world.read(lambda tx: doors.inbox_row(tx, seen[0]))
    assert detail.body == b'{"id":4}'
    assert detail.row.error_code == "schema_drift"
    assert desk.world.read(lambda tx: doors.inbox_counts(tx, desk.shop_id))["dead"] == 5
    assert desk.world.read(lambda tx: doors.outbox_rows(tx, OutboxQuery())).rows == ()


def test_many_rows_are_one_problem(desk: Desk) -> None:
    for number in range(3):
        unreadable(desk, number)
    [problem] = [one for one in found(desk) if one.kind == "inbox"]
    assert (problem.count, problem.move, len(problem.ids)) == (3, "yours", 3)
    assert "Web shop" in problem.title
    assert problem.first_seen <= problem.last_seen
    operate.dismiss(desk.runtime, problem.ids, person=PERSON, reason="a test")
    assert [one for one in found(desk) if one.kind == "inbox"] == []


def test_an_unlinked_article_is_one_problem_until_it_is_linked(desk: Desk) -> None:
    desk.buy(("NEW", 1))
    desk.buy(("NEW", 1))
    [problem] = [one for one in found(desk) if one.kind == "hold"]
    assert (problem.what, problem.orders, problem.move) == ("unmapped", 2, "yours")
    assert problem == desk.world.read(lambda tx: problems.by_fingerprint(tx, desk.world.now(), problem.fingerprint))
    operate.link_sku(desk.runtime, desk.shop_id, "NEW", create=True, person=PERSON)
    desk.world.run()
    assert [one for one in found(desk) if one.kind == "hold"] == []


def test_waiting_for_payment_is_nobody_s_problem(desk: Desk) -> None:
    desk.send("orders/create", desk.shop.place_order([("MUG", 1)], paid="PENDING"))
    assert [one for one in found(desk) if one.kind == "hold"] == []


def test_an_unknown_outcome_is_theirs_while_the_hub_looks_and_yours_after(desk: Desk) -> None:
    operate.adjust_stock(desk.runtime, "MUG", "EAST", set_to=5, reason="count", person=PERSON)
    desk.threepl.faults.append(Fault("effect_then_drop", match="order_create", times=99))
    desk.threepl.faults.append(Fault("drop", match="orders", times=99))
    desk.buy(("MUG", 1))
    [problem] = [one for one in found(desk) if one.kind == "outbox"]
    assert (problem.move, problem.orders) == ("theirs", 1)
    assert problem.next_try is not None
    desk.world.later(hours=1)
    [problem] = [one for one in found(desk) if one.kind == "outbox"]
    assert problem.move == "yours"


def test_a_connection_without_sign_in_is_a_problem_of_yours(desk: Desk) -> None:
    desk.shop.token = "shpat_new"
    operate.check_connection(desk.runtime, desk.shop_id, person=PERSON)
    [problem] = [one for one in found(desk, move="yours") if one.kind == "connection"]
    assert problem.what == "needs_sign_in"
    assert problem.ids == (desk.shop_id,)
    word = {one.row.name: one.word for one in views(desk)}
    assert word == {"Web shop": "needs sign-in", "3PL": "on time"}


def views(desk: Desk) -> list[connections.ConnectionView]:
    every = operate.intervals(desk.runtime)
    return list(desk.world.read(lambda tx: connections.every(tx, desk.world.now(), every)))


def test_a_connection_is_late_and_then_in_error_by_its_own_schedule(desk: Desk) -> None:
    def words() -> set[str]:
        return {one.word for one in views(desk) if one.row.name == "Web shop"}

    assert words() == {"on time"}
    longest = max(one.every for view in views(desk) for one in view.streams if view.row.name == "Web shop")
    assert longest >= timedelta(minutes=15)
    desk.world.later(minutes=40)
    assert words() == {"late"}
    desk.world.later(minutes=40)
    assert words() == {"error"}
    desk.world.run()
    assert words() == {"on time"}


def test_a_connection_counts_its_webhooks_and_hides_its_secrets(desk: Desk) -> None:
    order = desk.shop.place_order([("MUG", 1)])
    headers, body = desk.shop.webhook("orders/create", order, "event-1")
    for _ in range(3):
        desk.world.deliver(desk.shop_id, headers, body)
    assert desk.world.deliver(desk.shop_id, {**headers, "X-Shopify-Hmac-Sha256": "bad"}, body).status == 401
    every = operate.intervals(desk.runtime)
    detail = desk.world.read(
        lambda tx: connections.detail(tx, "Web shop", desk.world.now(), every, desk.runtime.keyring)
    )
    hooks = detail.view.webhooks
    assert (hooks.received, hooks.duplicates, hooks.rejected) == (1, 2, 1)
    assert detail.secrets == {"access_token": True, "webhook_secret": True}
    assert len(detail.rejections) == 1
    assert desk.shop.token not in repr(detail)
