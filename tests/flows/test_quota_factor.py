"""A hub may use more than a vendor's usual quota where the vendor granted it."""

from __future__ import annotations

from dataclasses import replace

from connectors.erp.odoo.sandbox import OdooSandbox
from hub.flows.runtime import Runtime
from hub.sdk import RateLimit
from hub.store import connections
from hub.store.database import Database
from hub.testing.world import World


def test_quotas_are_as_the_manifest_states_them_unless_more_was_granted(db: Database) -> None:
    world = World(db)
    erp_id = world.connect("odoo", "Books", OdooSandbox(url="http://127.0.0.1:1").settings())
    [stated] = world.runtime.registry.get("odoo").manifest.rate_limits

    def used(runtime: Runtime) -> tuple[RateLimit, ...]:
        with db.read() as tx:
            return tuple(runtime.connector(connections.get(tx, erp_id)).ctx.http.limits)

    assert used(world.runtime) == (stated,)
    [more] = used(replace(world.runtime, quota_factor=3.0))
    assert (more.per_second, more.burst) == (stated.per_second * 3, stated.burst * 3)
    assert (more.bucket, more.match) == (stated.bucket, stated.match)
    [less] = used(replace(world.runtime, quota_factor=0.001))
    assert less.burst == 1
