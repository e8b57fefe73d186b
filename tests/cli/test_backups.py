"""A backup that was tried is a backup."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from hub.engine.lease import Lease
from hub.store.tables import connection, orders, outbox
from tests.cli.conftest import Shop


def numbers(shop: Shop) -> list[str]:
    return list(
        shop.world.read(lambda tx: tx.execute(select(orders.c.number).order_by(orders.c.number)).scalars().all())
    )


def test_a_backup_brings_back_what_was_there_and_sends_nothing(shop: Shop) -> None:
    shop.buy(("MUG", 1))
    before = numbers(shop)
    said = shop.shell.run("backup", "copy.bak")
    assert "keys are not in it" in said.stderr
    assert (shop.shell.folder / "copy.bak").stat().st_mode & 0o077 == 0
    shop.shell.run("backup", "copy.bak", code=2)

    shop.buy(("MUG", 1))
    assert len(numbers(shop)) == 2
    shop.world.db.dispose()
    assert "not empty" in shop.shell.run("restore", "copy.bak", code=4).stderr
    assert "outbox release" in shop.shell.run("restore", "copy.bak", "--force").stderr
    assert numbers(shop) == before
    assert shop.world.read(lambda tx: tx.execute(select(connection.c.outbox_held)).scalars().all()) == [True]
    waiting = ("pending", "retry_wait", "sending")
    assert shop.world.read(lambda tx: tx.execute(select(outbox.c.id).where(outbox.c.status.in_(waiting))).all()) == []
    shop.shell.run("outbox", "release", "Web shop")
    assert shop.world.read(lambda tx: tx.execute(select(connection.c.outbox_held)).scalars().all()) == [False]


def test_nothing_is_restored_under_a_running_hub(shop: Shop) -> None:
    shop.shell.run("backup", "copy.bak")
    lease = Lease(shop.world.db, "serve", timedelta(seconds=60))
    assert lease.hold()
    assert "stop it first" in shop.shell.run("restore", "copy.bak", "--force", code=4).stderr
    lease.release()
    shop.world.db.dispose()
    shop.shell.run("restore", "copy.bak", "--force")


def test_what_is_no_backup_is_refused_and_nothing_is_lost(shop: Shop) -> None:
    (shop.shell.folder / "letter.txt").write_text("Dear hub, this is no database at all.\n" * 100)
    shop.buy(("MUG", 1))
    shop.world.db.dispose()
    shop.shell.run("restore", "letter.txt", "--force", code=4)
    assert len(numbers(shop)) == 1
