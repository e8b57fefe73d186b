"""Operate: what a person does, from the console, the API or the command line.

Every action writes the timeline with the person as actor, rings the doors after its commit, and is safe to repeat.
What cannot be done raises an OperateError whose message can be shown as it is.
"""

from hub.flows.operate.accounts import Added, add_connection, change_connection, check_connection
from hub.flows.operate.articles import LinkedSku, link_sku
from hub.flows.operate.doors import Retried, dismiss, replay, resolve, retry
from hub.flows.operate.errors import CheckFailedError, NotDoneError, OperateError, SettingsError
from hub.flows.operate.orders import cancel_order, hold_order, release_hold
from hub.flows.operate.places import OfferedPlace, link_places, places
from hub.flows.operate.reach import intervals, manifest_of
from hub.flows.operate.routing import (
    RulesDiff,
    change_draft,
    check_rules,
    compare,
    fitting_rehearsal,
    publish_rules,
    save_draft,
    start_rehearsal,
    try_order,
    try_skus,
)
from hub.flows.operate.running import (
    pause,
    provision_webhooks,
    release_outbox,
    resume,
    rewind,
    sync_now,
    webhook_address,
)
from hub.flows.operate.shipping import refuse_by_hand, ship_by_hand
from hub.flows.operate.stock import ImportRow, RowResult, add_location, adjust_stock, import_stock

__all__ = [
    "Added",
    "CheckFailedError",
    "ImportRow",
    "LinkedSku",
    "NotDoneError",
    "OfferedPlace",
    "OperateError",
    "Retried",
    "RowResult",
    "RulesDiff",
    "SettingsError",
    "add_connection",
    "add_location",
    "adjust_stock",
    "cancel_order",
    "change_connection",
    "change_draft",
    "check_connection",
    "check_rules",
    "compare",
    "dismiss",
    "fitting_rehearsal",
    "hold_order",
    "import_stock",
    "intervals",
    "link_places",
    "link_sku",
    "manifest_of",
    "pause",
    "places",
    "provision_webhooks",
    "publish_rules",
    "refuse_by_hand",
    "release_hold",
    "release_outbox",
    "replay",
    "resolve",
    "resume",
    "retry",
    "rewind",
    "save_draft",
    "ship_by_hand",
    "start_rehearsal",
    "sync_now",
    "try_order",
    "try_skus",
    "webhook_address",
]
