"""Stock counts: the list, one, and its next step as buttons. Counting needs nothing but a keyboard or a scanner."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for

from hub.domain.counts import MEANING, NEXT, UNCOUNTED
from hub.flows.operate import NotDoneError
from hub.flows.operate import counts as operate
from hub.flows.operate.count_file import read_count
from hub.flows.operate.counts import Uncounted
from hub.flows.operate.files import text_of
from hub.flows.operate.lots import expiry
from hub.store import catalog
from hub.store.database import new_id
from hub.store.views import counts as view
from hub.store.views.counts import CountQuery, UnknownCountError
from hub.web.answers import missing
from hub.web.context import caller, console

blueprint = Blueprint("counts", __name__, url_prefix="/counts")

TABS = (("open", "Open"), ("applied", "Applied"), ("cancelled", "Cancelled"))
SHOWN = 500  # lines of one count on its page; a file or the API has no such bound


@blueprint.get("/")
def listing() -> Any:
    return _list()


def _list(error: str = "", given: dict[str, str] | None = None) -> str:
    wanted = request.args.get("status", "open")
    query = CountQuery(
        wanted if wanted in NEXT else "open", request.args.get("place", "")[:40], request.args.get("after", "")[:500]
    )
    with console().runtime.db.read() as tx:
        page = view.find(tx, query)
        locations = catalog.locations(tx)
    return render_template(
        "counts/list.html",
        page=page,
        query=query,
        tabs=TABS,
        locations=locations,
        error=error,
        given=given or {name: request.args.get(name, "")[:5000] for name in ("location", "skus")},
        key=new_id(),
    )


@blueprint.post("/")
def add() -> Any:
    names = ("location", "skus", "prefix", "assignee", "note")
    given = {name: request.form.get(name, "").strip()[:20_000] for name in names}
    try:
        number = operate.create_count(
            console().runtime,
            given["location"],
            person=caller().actor,
            skus=given["skus"].split(),
            prefix=given["prefix"][:120],
            note=given["note"][:1000],
            blind="open" not in request.form,
            assignee=given["assignee"][:120],
            key=request.form.get("key", ""),
        )
    except NotDoneError as error:
        return _list(f"{error}.", given), 422
    flash(f"{number} is planned.", "done")
    return redirect(url_for("counts.show", number=number))


@blueprint.get("/<number>")
def show(number: str) -> Any:
    return _page(number)


def _page(number: str, error: str = "", wrong: list[operate.EntryResult] | None = None) -> str:
    with console().runtime.db.read() as tx:
        found = view.detail(tx, number)
    only = bool(request.args.get("differences"))
    lines = [one for one in found.lines if not only or one.difference or one.recount]
    return render_template(
        "counts/show.html",
        found=found,
        row=found.row,
        lines=lines[:SHOWN],
        hidden=max(0, len(lines) - SHOWN),
        only=only,
        next=NEXT[found.row.status],
        meaning=MEANING[found.row.status],
        last=max((one for one in found.lines if one.counted_at), key=lambda one: str(one.counted_at), default=None),
        error=error,
        wrong=wrong or [],
        key=new_id(),
    )


def _done(number: str, act: Callable[[], object], said: str) -> Any:
    """Do a step, and show the count with what came of it."""
    try:
        act()
    except NotDoneError as error:
        return _page(number, f"{error}."), 422
    flash(said, "done")
    return redirect(url_for("counts.show", number=number))


def _known(number: str) -> view.CountDetail:
    with console().runtime.db.read() as tx:
        return view.detail(tx, number)


@blueprint.post("/<number>/assign")
def assign(number: str) -> Any:
    _known(number)
    who = request.form.get("assignee", "").strip()[:120] or caller().actor
    return _done(
        number,
        lambda: operate.assign_count(console().runtime, number, who, person=caller().actor),
        f"{who} is to count.",
    )


@blueprint.post("/<number>/start")
def start(number: str) -> Any:
    _known(number)
    return _done(
        number,
        lambda: operate.start_count(console().runtime, number, person=caller().actor),
        "Scan or type what you find.",
    )


@blueprint.post("/<number>/enter")
def enter(number: str) -> Any:
    """One scan: a code and units, 1 of which is added when nothing else is said."""
    _known(number)
    form = request.form
    text = form.get("units", "").strip() or "1"
    try:
        done = operate.enter_count(
            console().runtime,
            number,
            form.get("code", "").strip()[:120],
            int(text) if text.isdecimal() and len(text) < 10 else None,
            person=caller().actor,
            add=form.get("how", "add") == "add",
            entry=form.get("key", ""),
            lot=form.get("lot", "").strip()[:80],
            expires_on=expiry(form.get("expires_on", "")),
            serial=form.get("serial", "").strip()[:120],
        )
    except NotDoneError as error:
        return _page(number, str(error)), 422
    flash(f"{done.sku}: {done.counted} counted.", "done")
    return redirect(url_for("counts.show", number=number))


@blueprint.post("/<number>/upload")
def upload(number: str) -> Any:
    """A file of figures, each row with its own result."""
    _known(number)
    file = request.files.get("file")
    raw = file.read() if file else b""
    try:
        rows = read_count(text_of(raw))
        results = operate.enter_counts(
            console().runtime, number, rows, person=caller().actor, entry=hashlib.sha256(raw).hexdigest()[:32]
        )
    except NotDoneError as error:
        return _page(number, f"{error}."), 422
    wrong = [one for one in results if one.status == "error"]
    if wrong:
        left_out = f"{len(results) - len(wrong)} rows are entered, {len(wrong)} were left out."
        return _page(number, left_out, wrong), 422
    flash(f"{len(results)} rows are entered.", "done")
    return redirect(url_for("counts.show", number=number))


@blueprint.post("/<number>/review")
def review(number: str) -> Any:
    _known(number)
    return _done(
        number,
        lambda: operate.review_count(console().runtime, number, person=caller().actor),
        "Look at the differences before they are booked.",
    )


@blueprint.post("/<number>/recount")
def recount(number: str) -> Any:
    _known(number)
    skus = request.form.getlist("sku")
    return _done(
        number,
        lambda: operate.recount(console().runtime, number, skus, person=caller().actor),
        "They are to be counted once more.",
    )


@blueprint.post("/<number>/apply")
def apply(number: str) -> Any:
    _known(number)
    choice = request.form.get("uncounted", "")
    uncounted = cast("Uncounted", choice if choice in UNCOUNTED else "")
    reason = request.form.get("reason", "").strip()[:200]

    def book() -> None:
        operate.apply_count(console().runtime, number, person=caller().actor, uncounted=uncounted, reason=reason)

    return _done(number, book, "The corrections are in the books.")


@blueprint.post("/<number>/cancel")
def cancel(number: str) -> Any:
    _known(number)
    reason = request.form.get("reason", "").strip()[:200]
    return _done(
        number,
        lambda: operate.cancel_count(console().runtime, number, person=caller().actor, reason=reason),
        "It is cancelled; nothing was booked.",
    )


@blueprint.errorhandler(UnknownCountError)
def _gone(_error: Exception) -> Any:
    return missing()
