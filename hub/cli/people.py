"""person and api-key: who may come in, and the way back in for who lost the password."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from hub.cli.output import AsJson, note, print_json, print_table, say
from hub.cli.session import runtime, settings
from hub.flows import operate
from hub.store import people

person_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="People who may use the console.")
key_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Keys by which programs use the API.")


class Role(Enum):
    """Each may do what those before it may."""

    VIEWER = "viewer"
    PACKER = "packer"
    OPS = "ops"
    MANAGER = "manager"
    OWNER = "owner"


Who = Annotated[str, typer.Argument(help="E-mail address.", metavar="EMAIL")]
RoleChoice = Annotated[Role, typer.Argument(help="What they may do.")]


@person_app.command("list")
def list_people(as_json: AsJson = False) -> None:
    """List people with their roles, those who are shut out included."""
    with runtime() as hub, hub.db.read() as tx:
        now, found = hub.clock(), people.people(tx)
        open_sessions = people.open_sessions(tx, [one.id for one in found], now)
    rows = [
        {
            "email": one.email,
            "name": one.name,
            "role": one.role,
            "active": one.active,
            "has_password": bool(one.password_hash),
            "locked_until": one.locked_until if one.locked_until and one.locked_until > now else None,
            "sessions": open_sessions.get(one.id, 0),
        }
        for one in found
    ]
    if as_json:
        print_json({"rows": rows})
        return
    print_table(
        ("E-mail", "Name", "Role", "May come in", "Password", "Locked until (UTC)", "Sessions#"),
        (tuple(row.values()) for row in rows),
        empty="Nobody has an account yet. `orderhub person add EMAIL owner` makes the first.",
    )


@person_app.command("add")
def add_person(email: Who, role: RoleChoice, name: Annotated[str, typer.Option(help="Their name.")] = "") -> None:
    """Let somebody in, and print a one-time link by which they choose a password."""
    with runtime() as hub:
        operate.add_person(hub, email, role=role.value, name=name)
        _print_link(operate.link_for(hub, email))


@person_app.command("link")
def make_link(email: Who) -> None:
    """Print a one-time link by which somebody chooses a new password, as when the old one is lost.

    It works within 24 hours and ends the links before. The old password works until the new one is chosen.
    """
    with runtime() as hub:
        _print_link(operate.link_for(hub, email))


@person_app.command("role")
def change_role(email: Who, role: RoleChoice) -> None:
    """Change what somebody may do."""
    with runtime() as hub:
        found = operate.change_person(hub, email, role=role.value)
    say(f"{found.email} is now {found.role}.")


@person_app.command("remove")
def remove(email: Who) -> None:
    """Shut somebody out and sign them out everywhere. The name stays in what they did."""
    with runtime() as hub:
        found = operate.change_person(hub, email, active=False)
    say(f"{found.email} is shut out.")


@person_app.command("let-in")
def let_in(email: Who) -> None:
    """Let somebody in again who was shut out, in the role of before."""
    with runtime() as hub:
        found = operate.change_person(hub, email, active=True)
    say(f"{found.email} may come in as {found.role}.")


@person_app.command("sign-out")
def sign_out(
    email: Annotated[str, typer.Argument(help="E-mail address; by default everybody.", metavar="[EMAIL]")] = "",
) -> None:
    """End every session of somebody, or of everybody."""
    with runtime() as hub:
        ended = operate.sign_out(hub, email)
    say(f"{ended} sessions were ended.")


@key_app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List API keys, the newest first."""
    with runtime() as hub, hub.db.read() as tx:
        rows = people.keys(tx)
    if as_json:
        print_json({"rows": rows})
        return
    print_table(
        ("Key", "Ends with", "Role", "Made (UTC)", "Last used (UTC)", "Revoked (UTC)", "Id"),
        ((one.name, one.hint, one.role, one.created_at, one.last_used_at, one.revoked_at, one.id) for one in rows),
        empty="There is no key yet.",
    )


@key_app.command("add")
def add_key(name: Annotated[str, typer.Argument(help="What it is for.")], role: RoleChoice) -> None:
    """Make a key and print it; it is shown this once."""
    with runtime() as hub:
        typer.echo(operate.add_key(hub, name, role.value))
    note("Send it with every call: Authorization: Bearer ohk_…")


@key_app.command("revoke")
def revoke_key(key: Annotated[str, typer.Argument(help="Name, last characters or id of the key.")]) -> None:
    """Stop a key at once."""
    with runtime() as hub:
        done = operate.revoke_key(hub, key)
    say(f"The key {done.name} …{done.hint} does not work any more.")


def _print_link(path: str) -> None:
    typer.echo(f"{settings().address()}{path}")
    note("It works once and within 24 hours.")
