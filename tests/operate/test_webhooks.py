"""Webhooks that a vendor is told to send: their secrets, their state, and making them anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from connectors.threepl.shiphero.webhooks import WANTED
from hub.engine.doors import open_door
from hub.flows import operate
from hub.flows.operate import NotDoneError
from hub.flows.watch import address
from hub.store import connections
from hub.store.tables import entity_event
from hub.testing import Fault
from tests.operate.conftest import PERSON, Desk

HUB = "https://hub.example.com"


def provide(desk: Desk, *, anew: bool = False) -> list[str]:
    return operate.provision_webhooks(desk.runtime, desk.threepl_id, HUB, person=PERSON, anew=anew)


def answers(desk: Desk) -> list[int]:
    """How the hub answers a delivery of each webhook that the 3PL has, signed with its own secret."""
    secrets = [hook["shared_signature_secret"] for hook in desk.threepl.hooks if hook["enabled"]]
    sent = [desk.threepl.webhook("Inventory Update", "MUG", secret) for secret in secrets]
    return [desk.world.deliver(desk.threepl_id, *one).status for one in sent]


def test_a_failure_midway_loses_no_secret_that_was_told(desk: Desk) -> None:
    desk.threepl.faults.append(Fault("error_500", "Order Canceled", times=99))
    with pytest.raises(NotDoneError, match="did not take the webhooks"):
        provide(desk)
    assert len(desk.threepl.hooks) == 2
    assert answers(desk) == [200, 200]
    desk.threepl.faults.clear()
    assert provide(desk) == sorted(WANTED)
    assert answers(desk) == [200] * len(WANTED)


def test_a_webhook_of_a_process_that_died_before_it_kept_the_secret_is_made_anew(desk: Desk) -> None:
    row = desk.world.read(lambda tx: connections.get(tx, desk.threepl_id))
    connector: Any = desk.runtime.connector(row)
    connector.client.webhook_create("Shipment Update", address(HUB, row), "demo")
    assert answers(desk) == [401]
    provide(desk)
    assert answers(desk) == [200] * len(WANTED)


def test_webhooks_are_made_anew_when_their_secrets_are_wrong(desk: Desk) -> None:
    provide(desk)
    for hook in desk.threepl.hooks:
        hook["shared_signature_secret"] += "-changed"
    provide(desk)
    assert set(answers(desk)) == {401}, "nobody can see that from outside"
    assert provide(desk, anew=True) == sorted(WANTED)
    assert answers(desk) == [200] * len(WANTED)
    said = desk.ask(select(entity_event.c.message).where(entity_event.c.kind == "webhooks"))
    assert said[-1].startswith("Webhooks were made anew for ")


def test_a_webhook_that_the_vendor_switched_off_is_on_again_within_the_hour(desk: Desk) -> None:
    provide(desk)
    desk.world.runtime = replace(desk.world.runtime, public_url=HUB)
    desk.threepl.switch_off("Shipment Update")
    assert len(answers(desk)) == len(WANTED) - 1
    open_door(desk.runtime, f"watch:{desk.threepl_id}")
    assert answers(desk) == [200] * len(WANTED)


def test_a_vendor_that_wants_words_of_its_own_gets_them_also_for_what_is_known(desk: Desk) -> None:
    provide(desk)
    sent = desk.threepl.webhook("Inventory Update", "MUG", desk.threepl.hooks[0]["shared_signature_secret"])
    for _ in range(2):
        receipt = desk.world.deliver(desk.threepl_id, *sent)
        assert (receipt.status, orjson.loads(receipt.body)) == (200, {"code": "200", "Status": "Success"})
    refused = desk.world.deliver(desk.threepl_id, {**sent[0], "X-Shiphero-Hmac-Sha256": "wrong"}, sent[1])
    assert (refused.status, "Status" in orjson.loads(refused.body)) == (401, False)
