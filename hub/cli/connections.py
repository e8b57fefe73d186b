"""Connections and the connectors they are made with."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from hub.cli.edge import PROBLEMS
from hub.cli.output import AsJson, note, print_facts, print_json, print_table, say
from hub.cli.session import person, runtime, settings
from hub.flows import operate
from hub.plugins import registry
from hub.sdk import CheckResult, secret_names
from hub.store import connections as store
from hub.store.views import connections as views
from hub.store.views.connections import ConnectionView

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Connect accounts, test them, pause them.")

Key = Annotated[str, typer.Argument(help="Connection, by name or id.")]
Pairs = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="SETTING=VALUE; @FILE reads the value from a file, so that a secret is not in the history."
    ),
]


def register(root: typer.Typer) -> None:
    root.command("connectors")(connectors)


def connectors(as_json: AsJson = False) -> None:
    """List the connectors that are installed, and those that cannot be used with the reason."""
    found = registry()
    if as_json:
        print_json(
            {
                "rows": [
                    {
                        "name": one.name,
                        "label": one.manifest.label,
                        "category": one.manifest.category,
                        "version": one.version,
                        "dist": one.dist,
                        "capabilities": one.capabilities,
                        "streams": [stream.name for stream in one.manifest.streams],
                    }
                    for one in found.plugins
                ],
                "broken": [{"name": one.name, "dist": one.dist, "reason": one.reason} for one in found.broken],
            }
        )
    else:
        print_table(
            ("Name", "Connects", "Kind", "Version", "Can"),
            (
                (one.name, one.manifest.label, one.manifest.category, one.version, ", ".join(one.capabilities))
                for one in found.plugins
            ),
            empty="No connector is installed.",
        )
        for one in found.broken:
            note(f"{one.name} ({one.dist}) cannot be used: {one.reason}")
    if found.broken:
        raise typer.Exit(PROBLEMS)


@app.command("add")
def add(
    plugin: Annotated[str, typer.Argument(help="Connector; `orderhub connectors` lists them.")],
    name: Annotated[str, typer.Argument(help='Your name for it, such as "Web shop".')],
    pairs: Pairs = None,
    link: Annotated[list[str] | None, typer.Option(help="PLACE=CODE: a place of the account and our location.")] = None,
    zone: Annotated[str, typer.Option(help="Time zone of the account.")] = "UTC",
    check: Annotated[bool, typer.Option("--check/--no-check", help="Test it before it is stored.")] = True,
    webhooks: Annotated[
        bool, typer.Option("--webhooks", help="Have the vendor send webhooks to ORDERHUB_PUBLIC_URL.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Connect an account. What is required and not given is asked for, secrets without showing them."""
    links = dict(one.partition("=")[::2] for one in link or ())
    with runtime() as hub:
        manifest = operate.manifest_of(hub, plugin)
        values = _values(manifest.config_schema, pairs or [])
        values |= _asked(manifest.config_schema, values)
        done = operate.add_connection(hub, plugin, name, values, person=person(), check=check, zone=zone, link=links)
        topics = operate.provision_webhooks(hub, done.id, settings().public_url, person=person()) if webhooks else []
    if as_json:
        print_json({"id": done.id, "name": done.name, "account": done.account_label, "webhook_path": done.webhook_path,
                    "places": done.places, "webhooks": topics})  # fmt: skip
        return
    say(f"{name} is connected{f' to {done.account_label}' if done.account_label else ''} ({done.id}).")
    if topics:
        say(f"Webhooks are sent for {', '.join(topics)}.")
    elif done.webhook_path:
        note(f"Webhooks are taken at {settings().public_url.rstrip('/') or 'https://<your host>'}{done.webhook_path}")
    open_places = [place for place in done.places if place.location is None]
    if open_places:
        note(f"Its places are not linked to locations yet: orderhub location link {name!r} PLACE=CODE")
        for place in open_places:
            note(f"  {place.external_id}  {place.name}")


@app.command("list")
def list_connections(as_json: AsJson = False) -> None:
    """List all connections with their state."""
    with runtime() as hub, hub.db.read() as tx:
        found = views.every(tx, hub.clock(), operate.intervals(hub))
    if as_json:
        print_json({"rows": found})
        return
    print_table(
        ("Name", "Connector", "State", "Account", "Last sync (UTC)", "Waiting#", "Parked#", "Failed#", "Why"),
        (
            (one.row.name, one.row.plugin, one.word, one.row.account_label, one.last_sync_at,
             one.queues.inbox_waiting + one.queues.outbox_waiting, one.queues.inbox_parked,
             one.queues.outbox_failed + one.queues.outbox_unknown, one.row.status_reason or one.row.warning)
            for one in found
        ),
        empty="There are no connections yet: `orderhub connection add`.",
    )  # fmt: skip


@app.command("show")
def show(key: Key, as_json: AsJson = False) -> None:
    """Show one connection: settings, which secrets are set, streams, queues, webhooks."""
    with runtime() as hub, hub.db.read() as tx:
        found = views.detail(tx, key, hub.clock(), operate.intervals(hub), hub.keyring)
        path = operate.webhook_address(hub, found.view.row)
    if as_json:
        print_json({"connection": found, "webhook_path": path})
        return
    _print(found.view, path)
    if found.secrets is None:
        note("The secrets cannot be opened with the keys at hand; `orderhub doctor` says more.")
    else:
        print_facts((name, "set" if filled else "not set") for name, filled in sorted(found.secrets.items()))


@app.command("set")
def change(
    key: Key,
    pairs: Pairs = None,
    name: Annotated[str | None, typer.Option(help="Your name for it.")] = None,
    zone: Annotated[str | None, typer.Option(help="Time zone of the account.")] = None,
    threshold: Annotated[int | None, typer.Option(help="Units of each article never offered there.", min=0)] = None,
    publish: Annotated[
        bool | None, typer.Option("--publish/--no-publish", help="Whether it is told our stock.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change settings or secrets of a connection, then test it. What is left out stays; SETTING= forgets a setting.

    The settings are kept even when the test fails. Exit code 1 then.
    """
    if not pairs and name is None and zone is None and threshold is None and publish is None:
        raise typer.BadParameter("say what to change, such as --set access_token=@FILE")
    with runtime() as hub:
        with hub.db.read() as tx:
            row = store.get(tx, key)
        given = _values(operate.manifest_of(hub, row.plugin).config_schema, pairs or [])
        result = operate.change_connection(
            hub, row.id, {**row.config, **given}, person=person(), name=name, zone=zone, stock_threshold=threshold,
            publish_stock=publish,
        )  # fmt: skip
    _say_result(result, as_json)


@app.command("check")
def check_connection(key: Key, as_json: AsJson = False) -> None:
    """Test a connection. One that waited for a person goes on when it works."""
    with runtime() as hub:
        result = operate.check_connection(hub, key, person=person())
    _say_result(result, as_json)


def _say_result(result: CheckResult, as_json: bool) -> None:
    if as_json:
        print_json(result)
    elif result.ok:
        say(f"It works{f': {result.label}' if result.label else ''}.")
        if result.warning:
            note(f"But: {result.warning}")
    else:
        say(f"It does not work: {result.error}")
    if not result.ok:
        raise typer.Exit(PROBLEMS)


@app.command("pause")
def pause(key: Key, reason: Annotated[str, typer.Option(help="Why, for the others.")] = "") -> None:
    """Send nothing to this connection until it is resumed; what it sends is kept and waits, holding no stock."""
    with runtime() as hub:
        operate.pause(hub, key, person=person(), reason=reason)
    say("It is paused. What it sends is kept and waits until it is resumed.")


@app.command("resume")
def resume(key: Key) -> None:
    """Let a paused connection go on."""
    with runtime() as hub:
        operate.resume(hub, key, person=person())
    say("It goes on.")


@app.command("sync")
def sync(
    key: Key,
    stream: Annotated[str, typer.Option(help="Read only this stream, again from --since.")] = "",
    since: Annotated[datetime | None, typer.Option(help="Read again from this time, UTC; needs --stream.")] = None,
) -> None:
    """Read a connection now, or a stream again from a date."""
    if bool(stream) != bool(since):
        raise typer.BadParameter("give --stream and --since together")
    with runtime() as hub:
        if stream:
            moment = since.replace(tzinfo=UTC) if since and since.tzinfo is None else since
            operate.rewind(hub, key, stream, moment, person=person())
            streams = [stream]
        else:
            streams = operate.sync_now(hub, key, person=person())
    say(f"Is read as soon as the hub runs: {', '.join(streams) or 'nothing, it has no polled streams'}.")


@app.command("webhooks")
def webhooks(
    key: Key,
    anew: Annotated[
        bool, typer.Option("--anew", help="Remove those that are there, and make them anew with new secrets.")
    ] = False,
) -> None:
    """Have the vendor send webhooks to ORDERHUB_PUBLIC_URL; safe to repeat."""
    with runtime() as hub:
        topics = operate.provision_webhooks(hub, key, settings().public_url, person=person(), anew=anew)
    say(f"Webhooks {'were made anew' if anew else 'are sent'} for {', '.join(topics)}.")


@app.command("link-sku")
def link_sku(
    key: Key,
    sku: Annotated[str, typer.Argument(help="The SKU as the channel has it.")],
    article: Annotated[str, typer.Option(help="Our SKU; by default the same.")] = "",
    pack_size: Annotated[int, typer.Option("--pack", help="Our units in one of the channel's.", min=1)] = 1,
    create: Annotated[bool, typer.Option("--create", help="Make the article when it does not exist.")] = False,
) -> None:
    """Say which article a channel's SKU is; the orders that wait for it go on."""
    with runtime() as hub:
        done = operate.link_sku(hub, key, sku, person=person(), article=article, pack_size=pack_size, create=create)
    say(f"{sku} is our {done.article}; {len(done.order_ids)} orders go on.")


def _print(view: ConnectionView, path: str) -> None:
    row = view.row
    print_facts(
        [
            ("Connection", row.name),
            ("Id", row.id),
            ("Connector", row.plugin),
            ("State", view.word),
            ("Why", row.status_reason),
            ("Warning", row.warning),
            ("Account", row.account_label or row.account_id),
            ("Last error", row.last_error),
            ("Webhooks at", path),
            (
                "Webhooks, 24 h",
                f"{view.webhooks.received} new, {view.webhooks.duplicates} repeated, {view.webhooks.rejected} refused",
            ),
            *((f"Setting {name}", value) for name, value in sorted(row.config.items())),
        ]
    )
    print_table(
        ("Stream", "Read up to (UTC)", "Next (UTC)", "Found by poll only#", "Error"),
        ((one.stream, one.synced_to, one.next_at, one.found_by_sweep, one.last_error) for one in view.streams),
        empty="It has no polled streams.",
    )


def _values(schema: Mapping[str, Any], pairs: list[str]) -> dict[str, Any]:
    """Settings from SETTING=VALUE, each in the type that the schema wants."""
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"write {pair!r} as SETTING=VALUE", param_hint="--set")
        if text.startswith("@"):
            try:
                text = Path(text[1:]).read_text().strip()
            except OSError as error:
                raise typer.BadParameter(f"{text[1:]} cannot be read: {error.strerror}", param_hint="--set") from error
        values[name.strip()] = _typed(schema.get("properties", {}).get(name.strip(), {}), text)
    return values


def _typed(rule: Mapping[str, Any], text: str) -> Any:
    """The value in the setting's type; what does not fit stays text, and the schema says what is wrong with it."""
    kind = rule.get("type")
    kinds = {kind} if isinstance(kind, str) else set(kind or ())
    try:
        if "boolean" in kinds and text.lower() in {"true", "yes", "1", "false", "no", "0"}:
            return text.lower() in {"true", "yes", "1"}
        if "integer" in kinds:
            return int(text)
        if "array" in kinds and not text.startswith("["):
            return [part.strip() for part in text.split(",") if part.strip()]
        if kinds & {"array", "object"}:
            return orjson.loads(text)
    except ValueError:
        return text
    return text


def _asked(schema: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for what is required and not given; without a terminal nothing is asked, and the schema names it."""
    if not sys.stdin.isatty():
        return {}
    hidden = secret_names(schema)
    answers: dict[str, Any] = {}
    for name in schema.get("required", ()):
        if name not in given:
            rule = schema["properties"].get(name, {})
            answers[name] = _typed(rule, typer.prompt(rule.get("title", name), hide_input=name in hidden))
    return answers
