"""Who may come in, by the command line: also the way back for who lost the password."""

from __future__ import annotations

from tests.cli.conftest import Shell


def test_the_first_owner_is_let_in_without_the_link_of_the_first_start(shell: Shell) -> None:
    shell.run("migrate")
    said = shell.run(
        "person", "add", "anna@example.com", "owner", "--name", "Anna", ORDERHUB_PUBLIC_URL="https://h.example"
    )
    assert said.stdout.startswith("https://h.example/new-password/")
    [row] = shell.json("person", "list")["rows"]
    assert (row["email"], row["name"], row["role"], row["active"], row["has_password"]) == (
        "anna@example.com",
        "Anna",
        "owner",
        True,
        False,
    )


def test_who_lost_the_password_gets_a_link(shell: Shell) -> None:
    shell.run("migrate")
    first = shell.run("person", "add", "anna@example.com", "owner").stdout
    second = shell.run("person", "link", "Anna@example.com").stdout
    assert second.startswith("http://127.0.0.1:8080/new-password/")
    assert second != first
    assert "there is no person" in shell.run("person", "link", "ben@example.com", code=3).stderr


def test_roles_change_and_people_go_and_come_back(shell: Shell) -> None:
    shell.run("migrate")
    shell.run("person", "add", "anna@example.com", "owner")
    shell.run("person", "add", "ben@example.com", "packer")
    assert "is now ops" in shell.run("person", "role", "ben@example.com", "ops").stdout
    assert "is shut out" in shell.run("person", "remove", "ben@example.com").stdout
    assert "shut out" in shell.run("person", "link", "ben@example.com", code=1).stderr
    assert "may come in as ops" in shell.run("person", "let-in", "ben@example.com").stdout
    assert "the last owner" in shell.run("person", "remove", "anna@example.com", code=1).stderr
    assert "there is an account" in shell.run("person", "add", "ben@example.com", "ops", code=1).stderr
    shell.run("person", "role", "ben@example.com", "king", code=2)
    assert "0 sessions" in shell.run("person", "sign-out").stdout


def test_keys_are_made_listed_and_revoked(shell: Shell) -> None:
    shell.run("migrate")
    key = shell.run("api-key", "add", "warehouse screen", "viewer").stdout.strip()
    assert key.startswith("ohk_")
    [row] = shell.json("api-key", "list")["rows"]
    assert (row["name"], row["role"], row["hint"], row["revoked_at"]) == ("warehouse screen", "viewer", key[-4:], None)
    assert key not in shell.run("api-key", "list").stdout
    assert "does not work any more" in shell.run("api-key", "revoke", "warehouse screen").stdout
    assert shell.json("api-key", "list")["rows"][0]["revoked_at"] is not None
    assert "there is no API key" in shell.run("api-key", "revoke", "warehouse screen", code=3).stderr
