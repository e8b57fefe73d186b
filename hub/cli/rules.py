"""rules: versions, files, rehearsal, publishing and tests of routing rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from hub.cli.edge import PROBLEMS, NoSuchThingError
from hub.cli.output import AsJson, note, print_json, print_table, say, say_error
from hub.cli.session import person, runtime
from hub.domain.documents import Address
from hub.domain.routing import rules as domain
from hub.domain.routing.rules import RuleSet
from hub.flows import operate, rehearse, rulefile, ruletests
from hub.flows.rehearse import LAST_ORDERS, MOST_ORDERS, Answer
from hub.flows.replay import Replayed, input_document, replay
from hub.flows.rulefile import RuleFileError
from hub.flows.runtime import Runtime
from hub.store import routing, rules
from hub.store.database import Tx
from hub.store.rules import Rehearsal, RuleSetRow
from hub.store.views import decisions
from hub.store.views import orders as orders_view
from hub.store.views.decisions import Decision
from hub.store.views.orders import OrderQuery

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Routing rules: where orders ship from.")

Key = Annotated[str, typer.Argument(help="name@version, a name for its newest version, or `published`.")]
RuleFile = Annotated[Path, typer.Argument(help="Rule file, YAML.", exists=True, dir_okay=False)]

FIGURES = (
    ("orders", "Orders"),
    ("shipments", "Shipments"),
    ("split_orders", "Orders in several parcels"),
    ("unfilled_units", "Units without a place"),
    ("unfilled_orders", "Orders that wait for units"),
    ("cost_minor", "Cost, minor units"),
    ("late_shipments", "Late shipments"),
    ("km", "Kilometres"),
    ("stock_outs", "Shelves emptied"),
)


@app.command("list")
def list_rules(as_json: AsJson = False) -> None:
    """List all versions, the one that counts first."""
    with runtime() as hub, hub.db.read() as tx:
        found = rules.versions(tx)
    if as_json:
        print_json({"rows": [_said(one) for one in found]})
        return
    print_table(
        ("Version", "State", "Made", "By", "Published", "Note"),
        ((one.key, one.status, one.created_at, one.created_by, one.published_at, one.note) for one in found),
        empty="",
    )


@app.command("show")
def show(key: Key = "published", as_json: AsJson = False) -> None:
    """Show one version: what it is, and its rules as YAML."""
    row = _find(key)
    if as_json:
        print_json(_said(row) | {"document": row.document})
        return
    say(f"{row.key} is {row.status}." + (f" {row.note}" if row.note else ""))
    say(rulefile.write(row.rules).rstrip())


@app.command("export")
def export(
    key: Key = "published",
    to: Annotated[
        Path | None, typer.Option("--to", help="File to write; the terminal otherwise.", dir_okay=False)
    ] = None,
) -> None:
    """Write one version as a rule file, to be kept with your own sources."""
    text = rulefile.write(_find(key).rules)
    if to is None:
        typer.echo(text, nl=False)
    else:
        to.write_text(text, encoding="utf-8")
        note(f"Written to {to}.")


@app.command("import")
def import_rules(
    file: RuleFile,
    words: Annotated[str, typer.Option("--note", help="What it is about, for people.")] = "",
    as_json: AsJson = False,
) -> None:
    """Keep a rule file as a draft. It decides nothing until it is rehearsed and published."""
    found = operate.check_rules(rulefile.text_of(file))
    with runtime() as hub:
        row = operate.save_draft(hub, found, person=person(), note=words)
        with hub.db.read() as tx:
            unheard = operate.unheard_of(tx, found)
    if as_json:
        print_json(_said(row) | {"unheard_of": unheard})
        return
    say(f"Kept as {row.key}.")
    for one in unheard:
        note(f"Look again: {one}.")
    note(f"Next: orderhub rules rehearse {row.key}")


@app.command("validate")
def validate(files: Annotated[list[Path], typer.Argument(help="Rule files.", exists=True, dir_okay=False)]) -> None:
    """Check rule files, without a database; every mistake is told with its line."""
    wrong = 0
    for file in files:
        try:
            found = operate.check_rules(rulefile.text_of(file))
        except RuleFileError as error:
            wrong += 1
            say_error(f"{file}:", [str(one) for one in error.mistakes])
        else:
            say(f"{file}: {found.name}, {len(found.routings)} routings, nothing wrong.")
    if wrong:
        raise typer.Exit(PROBLEMS)


@app.command("diff")
def diff(
    before: Annotated[str, typer.Argument(help="A version or a rule file.")],
    after: Annotated[str, typer.Argument(help="Another one.")],
    unified: Annotated[bool, typer.Option("--unified", help="As a unified diff of the YAML.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say in words what two versions, or rule files, decide differently."""
    (old_name, old), (new_name, new) = _named(before), _named(after)
    changed, text = domain.changes(old, new), rulefile.unified(old, new, (old_name, new_name))
    if as_json:
        print_json({"before": old_name, "after": new_name, "changes": changed, "unified": text})
    elif unified:
        typer.echo(text)
    else:
        for line in changed or ["They decide alike."]:
            say(line)


@app.command("rehearse")
def rehearse_rules(
    key: Key,
    orders: Annotated[int, typer.Option(help="How many of the last orders.", min=1, max=MOST_ORDERS)] = LAST_ORDERS,
    order: Annotated[str, typer.Option(help="Only this order, by number or id; nothing is kept of it.")] = "",
    sku: Annotated[
        list[str] | None, typer.Option(help="Only an order of SKU=UNITS that nobody placed; may be repeated.")
    ] = None,
    country: Annotated[str, typer.Option(help="With --sku: country of the destination.")] = "",
    postal_code: Annotated[str, typer.Option(help="With --sku: postal code.")] = "",
    latitude: Annotated[float | None, typer.Option(help="With --sku: degrees north.", min=-90, max=90)] = None,
    longitude: Annotated[float | None, typer.Option(help="With --sku: degrees east.", min=-180, max=180)] = None,
    as_json: AsJson = False,
) -> None:
    """Decide past orders by a version and by the rules that count, and compare. No stock moves."""
    with runtime() as hub:
        if order or sku:
            address = Address(
                country=country.upper() or None, postal_code=postal_code or None, latitude=latitude, longitude=longitude
            )
            sides = _try_order(hub, key, order) if order else operate.try_skus(hub, key, _wanted(sku or []), address)
            _print_sides(sides, as_json)
            return
        asked = operate.start_rehearsal(hub, key, person=person(), orders=orders)
        rehearse.rehearse(hub, asked.id)
        with hub.db.read() as tx:
            found = rules.get_rehearsal(tx, asked.id)
    if as_json:
        print_json(found)
    else:
        _print_rehearsal(found, key)
    if found.status != "done":
        raise typer.Exit(PROBLEMS)


@app.command("publish")
def publish(key: Key, as_json: AsJson = False) -> None:
    """Let a version count from now on. It takes a rehearsal that is not older than a day."""
    with runtime() as hub:
        row = operate.publish_rules(hub, key, person=person())
    if as_json:
        print_json(_said(row))
    else:
        say(f"{row.key} counts now.")


@app.command("why")
def why(
    order: Annotated[str, typer.Argument(help="Order, by number or id.")],
    inputs: Annotated[
        Path | None,
        typer.Option(help="Write what the last decision rests on, for `orderhub route plan`.", dir_okay=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say why an order went where it went, and decide it again to check. Ends with 1 when something differs."""
    with runtime() as hub:
        with hub.db.read() as tx:
            order_id = _order_id(tx, order)
            found = decisions.of_order(tx, order_id)
            stored = routing.decision(tx, order_id)
        again = replay(stored, hub.rankers, hub.strategies) if stored else None
    if inputs is not None and stored is not None and stored.inputs is not None and stored.network is not None:
        inputs.write_bytes(orjson.dumps(input_document(stored.inputs, stored.network), option=orjson.OPT_INDENT_2))
        note(f"Written to {inputs}.")
    if as_json:
        print_json({"decisions": found, "same": again and again.same})
    elif not found:
        say("It was not routed yet.")
    else:
        _print_decisions(found, again)
    if again is not None and not again.same:
        raise typer.Exit(PROBLEMS)


def _print_decisions(found: Sequence[Decision], again: Replayed | None) -> None:
    for one in found:
        over = f", gave way to decision {one.superseded_by}" if one.superseded_by else ""
        say(one.reason)
        say(f"  Decision {one.attempt} by {one.rules or 'the built-in rules'}, {one.at:%Y-%m-%d %H:%M} UTC{over}")
        for line in one.lines:
            say(f"  {line}")
    if again is not None:
        differs = (
            f"something differs. Now: {again.plan.reason} Either the program has changed since"
            f" ({again.plan.strategy} now), or what was stored was altered"
        )
        say(f"The last one decided again: {'every part of it is the same' if again.same else differs}.")


@app.command("test")
def run_tests(
    where: Annotated[Path, typer.Argument(help="A test file, or a folder with test files.", exists=True)],
    rule_file: Annotated[
        Path | None,
        typer.Option("--rules", help="Rule file to test instead of those the tests name.", exists=True, dir_okay=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run tests of rule files, without a database. Ends with 1 when one fails, for your build."""
    tested = operate.check_rules(rulefile.text_of(rule_file)) if rule_file else None
    found = ruletests.files(where)
    if not found:
        raise NoSuchThingError(f"there is no test file in {where}: one is YAML with `cases`")
    results = []
    for file in found:
        with rulefile.naming(file):
            results += ruletests.run(file, tested)
    failed = [one for one in results if one.differs]
    if as_json:
        print_json({"results": results, "failed": len(failed)})
    else:
        for one in results:
            say(f"{'FAILED' if one.differs else 'ok    '} {one.file}: {one.name}")
            for words in (*one.differs, *([one.reason] if one.differs else [])):
                say(f"         {words}")
        say(f"{len(results)} tests, {len(failed)} failed.")
    if failed:
        raise typer.Exit(PROBLEMS)


def _find(key: str) -> RuleSetRow:
    with runtime() as hub, hub.db.read() as tx:
        return rules.find(tx, key)


def _named(key: str) -> tuple[str, RuleSet]:
    """A rule file or a stored version, with its name."""
    if Path(key).is_file():
        return key, operate.check_rules(rulefile.text_of(Path(key)))
    row = _find(key)
    return row.key, row.rules


def _said(row: RuleSetRow) -> dict[str, Any]:
    names = ("id", "name", "version", "status", "document_hash", "note", "created_by", "created_at", "published_at")
    return {"key": row.key} | {name: getattr(row, name) for name in names}


def _wanted(given: list[str]) -> list[tuple[str, int]]:
    found = []
    for one in given:
        sku, _, units = one.rpartition("=")
        if not sku or not units.isascii() or not units.isdecimal():
            raise typer.BadParameter(f"{one!r} is not SKU=UNITS")
        found.append((sku, int(units)))
    return found


def _try_order(hub: Runtime, key: str, order: str) -> tuple[Answer, Answer]:
    with hub.db.read() as tx:
        order_id = _order_id(tx, order)
    return operate.try_order(hub, key, order_id)


def _order_id(tx: Tx, order: str) -> str:
    """Id of the one order of this number or id. Raises NoSuchThingError."""
    if orders_view.rows_of(tx, [order]):
        return order
    found = orders_view.find(tx, OrderQuery(text=order, limit=2)).rows
    if not found:
        raise NoSuchThingError(f"no order is called {order!r}")
    if len(found) > 1:
        raise NoSuchThingError(f"several orders are called {order!r}; give its id")
    return found[0].id


def _print_sides(sides: tuple[Answer, Answer], as_json: bool) -> None:
    if as_json:
        names = ("published", "draft")
        print_json({name: _side(one) for name, one in zip(names, sides, strict=True)})
        return
    print_table(
        ("Rules", "Routing", "Why"),
        ((name, one.routing, one.plan.reason) for name, one in zip(("published", "draft"), sides, strict=True)),
        empty="",
    )


def _side(answer: Answer) -> dict[str, Any]:
    return {
        "routing": answer.routing,
        "reason": answer.plan.reason,
        "inputs_hash": answer.plan.inputs_hash,
        "trace": answer.plan.trace,
    }


def _print_rehearsal(found: Rehearsal, key: str) -> None:
    if found.figures is None:
        say_error(f"the rehearsal did not end: {found.error or 'it is still running'}")
        return
    old, new = found.figures["baseline"], found.figures["draft"]
    print_table(("", "Now#", "With the draft#"), ((label, old[name], new[name]) for name, label in FIGURES), empty="")
    places = sorted({*old["locations"], *new["locations"]})
    nothing = {"shipments": 0, "units": 0}
    print_table(
        ("Location", "Shipments now#", "With the draft#"),
        (
            (code, old["locations"].get(code, nothing)["shipments"], new["locations"].get(code, nothing)["shipments"])
            for code in places
        ),
        empty="There were no orders to rehearse.",
    )
    say(f"{found.figures['elsewhere']} of {found.orders} orders would go elsewhere.")
    for one in (found.differences or ())[:5]:
        say(f"  {one['number']}: {one['baseline']['reason']} With the draft: {one['draft']['reason']}")
    note(f"Next: orderhub rules publish {key}")
