"""Operate: what a person does, from the console, the API or the command line.

Every action writes the timeline with the person as actor, rings the doors after its commit, and is safe to repeat.
What cannot be done raises an OperateError whose message can be shown as it is.
"""

from hub.flows.operate.accounts import Added, add_connection, change_connection, check_connection
from hub.flows.operate.articles import LinkedSku, link_sku
from hub.flows.operate.changes import (
    cancel_order,
    change_order,
    confirm_change,
    end_change,
    preview_change,
    read_asks,
)
from hub.flows.operate.checks import ChosenCheck, checks_of, choose_checks
from hub.flows.operate.counter import (
    collect_elsewhere,
    collect_until,
    collected,
    not_collected,
    ready_for_collection,
    ship_instead,
)
from hub.flows.operate.doors import Retried, SetAside, dismiss, replay, resolve, retry, set_aside
from hub.flows.operate.errors import CheckFailedError, NotDoneError, OperateError, SettingsError, UsedKeyError
from hub.flows.operate.locations import change_location, location, settings_of
from hub.flows.operate.orders import (
    Done,
    HoldOn,
    active_holds,
    hold_order,
    hold_orders,
    look_after_hold,
    release_hold,
    release_holds,
)
from hub.flows.operate.people import (
    add_key,
    add_person,
    change_person,
    email_fault,
    link_for,
    revoke_key,
    sign_out,
)
from hub.flows.operate.places import OfferedPlace, link_places, places
from hub.flows.operate.reach import intervals, manifest_of
from hub.flows.operate.reroute import route_order, set_outage
from hub.flows.operate.reservations import (
    ReserveLine,
    convert_reservations,
    extend_reservations,
    release_reservations,
    reserve,
)
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
from hub.flows.operate.shipping import accept_by_hand, refuse_by_hand, ship_by_hand
from hub.flows.operate.stock import (
    ImportRow,
    RowResult,
    StockMoved,
    add_location,
    adjust_stock,
    import_stock,
    move_stock,
)
from hub.flows.operate.stopping import stopped_by_hand, too_late_by_hand

__all__ = [
    "Added",
    "CheckFailedError",
    "ChosenCheck",
    "Done",
    "HoldOn",
    "ImportRow",
    "LinkedSku",
    "NotDoneError",
    "OfferedPlace",
    "OperateError",
    "ReserveLine",
    "Retried",
    "RowResult",
    "RulesDiff",
    "SetAside",
    "SettingsError",
    "StockMoved",
    "UsedKeyError",
    "accept_by_hand",
    "active_holds",
    "add_connection",
    "add_key",
    "add_location",
    "add_person",
    "adjust_stock",
    "cancel_order",
    "change_connection",
    "change_draft",
    "change_location",
    "change_order",
    "change_person",
    "check_connection",
    "check_rules",
    "checks_of",
    "choose_checks",
    "collect_elsewhere",
    "collect_until",
    "collected",
    "compare",
    "confirm_change",
    "convert_reservations",
    "dismiss",
    "email_fault",
    "end_change",
    "extend_reservations",
    "fitting_rehearsal",
    "hold_order",
    "hold_orders",
    "import_stock",
    "intervals",
    "link_for",
    "link_places",
    "link_sku",
    "location",
    "look_after_hold",
    "manifest_of",
    "move_stock",
    "not_collected",
    "pause",
    "places",
    "preview_change",
    "provision_webhooks",
    "publish_rules",
    "read_asks",
    "ready_for_collection",
    "refuse_by_hand",
    "release_hold",
    "release_holds",
    "release_outbox",
    "release_reservations",
    "replay",
    "reserve",
    "resolve",
    "resume",
    "retry",
    "revoke_key",
    "rewind",
    "route_order",
    "save_draft",
    "set_aside",
    "set_outage",
    "settings_of",
    "ship_by_hand",
    "ship_instead",
    "sign_out",
    "start_rehearsal",
    "stopped_by_hand",
    "sync_now",
    "too_late_by_hand",
    "try_order",
    "try_skus",
    "webhook_address",
]
