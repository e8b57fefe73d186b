"""Routing rules: drafts, rehearsals, publishing, and deciding again what was decided."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hub.domain.documents import Address
from hub.domain.routing.rules import RuleSet, changes
from hub.flows import rehearse as rehearsing
from hub.flows import rulefile
from hub.flows.operate.errors import ChangedMeanwhileError, NotDoneError, actor
from hub.flows.refill import offer_again
from hub.flows.rehearse import LAST_ORDERS, MOST_ORDERS, Answer, WantedLine
from hub.flows.rulefile import RuleFileError
from hub.flows.runtime import Runtime
from hub.store import catalog, connections, events, rules
from hub.store.database import Tx
from hub.store.errors import IntegrityError
from hub.store.rules import Rehearsal, RuleSetRow, UnknownRulesError


@dataclass(frozen=True, slots=True)
class RulesDiff:
    """What two versions differ in: in words, and as a unified diff of their YAML."""

    before: str
    after: str
    changes: tuple[str, ...]
    unified: str


def check_rules(text: str) -> RuleSet:
    """The rule set that a YAML text says. Raises RuleFileError, which names every mistake with its line."""
    return rulefile.read(text)


def unheard_of(tx: Tx, found: RuleSet) -> list[str]:
    """Location groups and channels that rules name and that there are none of: a slip, or they are still to come."""
    groups = {name for row in catalog.locations(tx) for name in row.groups or ()}
    channels = {name.casefold() for row in connections.every(tx) for name in (row.id, row.name)}
    named = sorted({one for routing in found.routings for step in routing.steps for one in step.groups})
    sellers = sorted({one for routing in found.routings for one in routing.when.channels})
    return [
        *(f"no location is in the group {one!r}" for one in named if one not in groups),
        *(f"no channel is called {one!r}" for one in sellers if one.casefold() not in channels),
    ]


def save_draft(runtime: Runtime, found: RuleSet, *, person: str, note: str = "") -> RuleSetRow:
    """Keep a rule set as a new draft of its name. One that says the same as the newest draft is not kept twice."""
    with runtime.db.begin() as tx:
        newest = _newest(tx, found.name)
        if newest is not None and newest.status == "draft" and newest.rules == found:
            return newest
        try:
            rules_id = rules.add_draft(tx, found, note[:500], person, runtime.clock())
        except IntegrityError as error:
            raise NotDoneError(f"somebody else saved a version of {found.name} just now; save yours again") from error
        row = rules.find(tx, rules_id)
        said = f"The routing rules {row.key} were drafted."
        events.tell(tx, ("rules", rules_id), "drafted", actor(person), said, runtime.clock())
    return row


def change_draft(
    runtime: Runtime, key: str, found: RuleSet, *, person: str, note: str | None = None, seen: str = ""
) -> RuleSetRow:
    """Replace what a draft says; its name stays. A rehearsal that it had no longer speaks for it.

    `seen` is the hash of what the person saw; ChangedMeanwhileError is raised when the draft says something else.
    """
    with runtime.db.begin() as tx:
        row = rules.find(tx, key)
        if row.id is None or row.status != "draft":
            raise NotDoneError(f"{row.key} is {row.status} and stays as it is; save the change as a new draft")
        if found.name != row.name:
            raise NotDoneError(f"a draft of {row.name} cannot become one of {found.name}; save it as a new draft")
        if (seen or row.document_hash) != row.document_hash:
            raise ChangedMeanwhileError(f"somebody else has changed {row.key} since you read it; read it again")
        if not rules.change_draft(tx, row, found, row.note if note is None else note[:500]):
            raise ChangedMeanwhileError(f"{row.key} was changed or published just now; read it again")
        said = f"The draft {row.key} was changed."
        events.tell(tx, ("rules", row.id), "changed", actor(person), said, runtime.clock())
        return rules.find(tx, row.id)


def compare(runtime: Runtime, before: str, after: str) -> RulesDiff:
    """What two versions differ in."""
    with runtime.db.read() as tx:
        old, new = rules.find(tx, before), rules.find(tx, after)
    unified = rulefile.unified(old.rules, new.rules, (old.key, new.key))
    return RulesDiff(old.key, new.key, tuple(changes(old.rules, new.rules)), unified)


def start_rehearsal(runtime: Runtime, key: str, *, person: str, orders: int = LAST_ORDERS) -> Rehearsal:
    """Have the last `orders` orders decided by a version and by the published rules; it runs in the background."""
    if not 1 <= orders <= MOST_ORDERS:
        raise NotDoneError(f"a rehearsal takes 1 to {MOST_ORDERS} orders")
    with runtime.db.begin() as tx:
        row = rules.find(tx, key)
        _still_usable(row)
        rehearsal_id = rules.add_rehearsal(tx, row.rules, rules.published(tx).rules, orders, person, runtime.clock())
        found = rules.get_rehearsal(tx, rehearsal_id)
    runtime.wake(f"rehearse:{rehearsal_id}")
    return found


def publish_rules(runtime: Runtime, key: str, *, person: str, rehearsal_id: str = "") -> RuleSetRow:
    """Let a version count from now on, with its rehearsal: the one that is named, or its newest that will do.

    Publishing an older version rolls back to it. Returns the version as it was when it is published already. Raises
    NotDoneError, which says how to get a rehearsal, when there is none that will do.
    """
    now = runtime.clock()
    try:
        with runtime.db.begin() as tx:
            row = rules.find(tx, key)
            if row.status == "published":
                return row
            _still_usable(row)
            found = _rehearsal_for(runtime, tx, row, rehearsal_id)
            before = rules.published(tx)
            if not rules.publish(tx, row, found.id, person, now):
                raise NotDoneError(f"{row.key} was changed just now; rehearse it again")
            said = f"The routing rules {row.key} count instead of {before.name}@{before.version}."
            events.tell(tx, ("rules", row.id or ""), "published", actor(person), said, now)
            offer_again(tx)
            published = rules.find(tx, row.id or "")
    except IntegrityError as error:
        raise NotDoneError("somebody else published rules just now; look at them and rehearse again") from error
    runtime.wake("refill")
    return published


def fitting_rehearsal(runtime: Runtime, tx: Tx, row: RuleSetRow) -> Rehearsal | None:
    """The newest rehearsal with which a version may be published; None when there is none."""
    newest_first = rules.rehearsals(tx, row.document_hash)
    return next((one for one in newest_first if not _why_not(runtime, tx, row, one)), None)


def _rehearsal_for(runtime: Runtime, tx: Tx, row: RuleSetRow, rehearsal_id: str) -> Rehearsal:
    how = f"run `orderhub rules rehearse {row.key}`, or press Rehearse on its page"
    if rehearsal_id:
        named = rules.get_rehearsal(tx, rehearsal_id)
        why = _why_not(runtime, tx, row, named)
        if why:
            raise NotDoneError(f"{row.key} cannot be published with this rehearsal: {why}; {how}")
        return named
    fitting = fitting_rehearsal(runtime, tx, row)
    if fitting is not None:
        return fitting
    found = rules.rehearsals(tx, row.document_hash, 1)
    why = _why_not(runtime, tx, row, found[0]) if found else "it was never rehearsed as it is now"
    raise NotDoneError(f"{row.key} cannot be published: {why}; {how}")


def _why_not(runtime: Runtime, tx: Tx, row: RuleSetRow, found: Rehearsal) -> str:
    """Why a version may not be published with a rehearsal; "" when it may."""
    if found.draft_hash != row.document_hash:
        return "the rehearsal was of other rules"
    if found.status == "running":
        return f"its rehearsal is still running ({found.done} of {found.orders} orders)"
    if found.status == "failed":
        return f"its rehearsal failed ({found.error})"
    if found.baseline_hash != rules.published(tx).document_hash:
        return "its rehearsal compares it with rules that no longer count"
    if found.finished_at is None or runtime.clock() - found.finished_at > runtime.rehearsal_valid:
        hours = int(runtime.rehearsal_valid.total_seconds() // 3600)
        return f"its rehearsal is older than {hours} hours"
    return ""


def try_order(runtime: Runtime, key: str, order_id: str) -> tuple[Answer, Answer]:
    """What the published rules and a version would do with a real order today; nothing is written."""
    sides = _sides(runtime, key)
    try:
        baseline, draft = rehearsing.try_order(runtime, order_id, sides)
    except KeyError as error:
        raise NotDoneError(f"there is no order {order_id!r}") from error
    return baseline, draft


def try_skus(
    runtime: Runtime,
    key: str,
    wanted: Sequence[tuple[str, int]],
    address: Address,
    *,
    channel: str = "",
    currency: str = "",
    value_minor: int = 0,
    tags: Collection[str] = (),
) -> tuple[Answer, Answer]:
    """What the published rules and a version would do with an order of these SKUs; nothing is written."""
    sides = _sides(runtime, key)
    if not wanted or any(units < 1 for _, units in wanted):
        raise NotDoneError("name at least one SKU, and 1 or more units of each")
    if address.country is not None and not re.fullmatch(r"[A-Z]{2}", address.country):
        raise NotDoneError(f"{address.country!r} is no country: write its two letters, such as DE")
    with runtime.db.read() as tx:
        ids = catalog.variants_by_sku(tx, [sku for sku, _ in wanted])
    missing = sorted({sku for sku, _ in wanted if sku not in ids})
    if missing:
        raise NotDoneError(f"there is no article {', '.join(missing)}")
    lines = [WantedLine(ids[sku], sku, units) for sku, units in wanted]
    baseline, draft = rehearsing.try_wanted(
        runtime,
        lines,
        address,
        sides,
        connection_id=channel,
        currency=currency,
        value_minor=value_minor,
        tags=tags,
    )
    return baseline, draft


def _sides(runtime: Runtime, key: str) -> tuple[RuleSet, RuleSet]:
    """(published, the version)."""
    with runtime.db.read() as tx:
        return rules.published(tx).rules, rules.find(tx, key).rules


def _still_usable(row: RuleSetRow) -> None:
    """A version may name rankers of a plug-in that is gone. Raises NotDoneError."""
    if row.id is None:
        how = f"by `orderhub rules export {row.key}` and `orderhub rules import`, or by the button on its page"
        raise NotDoneError(f"{row.key} is built in: keep what it says as a draft first, {how}")
    try:
        rulefile.checked(dict(row.document))
    except RuleFileError as error:
        raise NotDoneError(f"{row.key} cannot be used any more: {error}") from error


def _newest(tx: Tx, name: str) -> RuleSetRow | None:
    try:
        row = rules.find(tx, name)
    except UnknownRulesError:
        return None
    return row if row.name == name else None
