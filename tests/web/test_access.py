"""Who may do what: every route has a rule, and every role is held to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hub.settings import Settings
from hub.store import people
from hub.web.access import ANYONE, RULES
from hub.web.app import create_app
from hub.web.context import RANK
from hub.web.sessions import LONGEST
from tests.web.conftest import Site

Route = tuple[str, str, str]  # endpoint, method, an address


def routes(app: Flask) -> Iterator[Route]:
    """Every route with each of its methods, at an address that leads nowhere."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        address = adapter.build(rule.endpoint, dict.fromkeys(rule.arguments, "nothing"))
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule.endpoint, method, address


def with_session(site: Site, role: str) -> FlaskClient:
    """A client of somebody of that role, with a session made without a password."""
    site.person(role)
    with site.world.db.begin() as tx:
        session_id = people.open_session(tx, site.ids[role], site.world.now(), LONGEST)
    client = site.app.test_client()
    client.set_cookie("orderhub", session_id)
    return client


def test_every_route_has_a_rule_and_every_rule_a_route(site: Site) -> None:
    assert {rule.endpoint for rule in site.app.url_map.iter_rules()} == set(RULES)


def test_a_route_without_a_rule_is_refused_to_everybody(site: Site) -> None:
    site.app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    assert with_session(site, "owner").get("/forgotten").status_code == 403


def test_nobody_comes_in_without_a_session_or_a_key(site: Site) -> None:
    site.app.config["WTF_CSRF_ENABLED"] = False
    client = site.app.test_client()
    for endpoint, method, address in routes(site.app):
        answer = client.open(address, method=method)
        rule = RULES[endpoint]
        if rule.by == "session":
            assert (answer.status_code, answer.headers.get("Location", "").split("?")[0]) == (302, "/sign-in"), endpoint
        elif rule.by == "key":
            assert answer.status_code == 401, endpoint
            assert answer.mimetype == "application/problem+json"
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("role", RANK)
def test_each_role_may_do_what_the_table_says_and_no_more(site: Site, role: str) -> None:
    site.app.config["WTF_CSRF_ENABLED"] = False
    key = site.key(role)
    for endpoint, method, address in routes(site.app):
        rule = RULES[endpoint]
        if rule == ANYONE:
            continue
        client = with_session(site, role) if rule.by == "session" else site.app.test_client()
        answer = client.open(address, method=method, headers=key if rule.by == "key" else {})
        refused = RANK[role] < RANK[rule.role]
        assert (answer.status_code == 403) == refused, (role, endpoint, method, answer.status_code)
        assert answer.status_code < 500, (role, endpoint, method, answer.text)


def test_every_console_form_needs_its_token(site: Site) -> None:
    client = with_session(site, "owner")
    unsafe = [(one, address) for one, method, address in routes(site.app) if method == "POST"]
    for endpoint, address in unsafe:
        if endpoint.startswith(("api.", "ingress.")):
            continue
        assert client.post(address).status_code == 400, endpoint
        assert client.post(address, data={"csrf_token": "made up"}).status_code == 400, endpoint


FROM_ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://shop.localhost"},
    {"Origin": "https://elsewhere.example"},
    {"Origin": "null"},
]
FROM_HERE = [
    {},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://hub.example.com"},
    {"Origin": "http://localhost"},
    {"Origin": "https://hub.example.com"},
]


@pytest.mark.parametrize(
    ("headers", "code"), [(one, 403) for one in FROM_ELSEWHERE] + [(one, 302) for one in FROM_HERE]
)
def test_a_form_is_taken_only_from_the_console_itself(site: Site, headers: dict[str, str], code: int) -> None:
    site.app = create_app(
        Settings(_env_file=None, cookie_secure=False, public_url="https://hub.example.com"), site.world.runtime
    )
    owner = site.signed_in()
    form = {"csrf_token": owner.token("/settings/")}
    assert owner.client.post("/sign-out", data=form, headers=headers).status_code == code


def test_a_session_counts_for_nothing_at_the_api(site: Site) -> None:
    client = with_session(site, "owner")
    assert client.get("/api/v1/orders").status_code == 401
    assert client.post("/api/v1/orders/x/cancel", json={"reason": "x"}).status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic b2s6", "Bearer ohk_guess", "Token x"])
def test_anything_but_a_good_key_is_401(site: Site, header: str) -> None:
    assert site.app.test_client().get("/api/v1/stock", headers={"Authorization": header}).status_code == 401


def test_a_revoked_key_stops_at_once_and_its_text_is_stored_nowhere(site: Site) -> None:
    key = site.key("viewer")
    client = site.app.test_client()
    assert client.get("/api/v1/stock", headers=key).status_code == 200
    [row] = site.world.read(people.keys)
    text = key["Authorization"].removeprefix("Bearer ")
    assert row.last_used_at is not None
    assert row.hint == text[-4:]
    with site.world.db.begin() as tx:
        assert people.revoke_key(tx, row.id, site.world.now())
    assert client.get("/api/v1/stock", headers=key).status_code == 401


def test_a_key_made_in_the_console_is_shown_once_and_works(site: Site) -> None:
    owner = site.signed_in()
    page = owner.submit("/settings/keys", {"key_name": "Screen", "key_role": "viewer"}, "/settings/").text
    text = page.split('id="new-key">')[1].split("<")[0]
    assert site.app.test_client().get("/api/v1/stock", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    assert text not in owner.get("/settings/").text


def test_packers_and_viewers_see_no_contact_data(site: Site) -> None:
    placed = site.order(("MUG", 1))
    email = placed.customer["email"]
    order = site.app.test_client().get("/api/v1/orders", headers=site.key("ops")).json["rows"][0]
    assert order["email"] == email
    for role in ("viewer", "packer"):
        client = with_session(site, role)
        for page in ("/orders/", f"/orders/{order['id']}"):
            assert email not in client.get(page).text
        assert client.get(f"/orders/{order['id']}/raw").status_code == 403
        shown = site.app.test_client().get(f"/api/v1/orders/{order['id']}", headers=site.key(role))
        assert email not in shown.text
    assert email in with_session(site, "ops").get(f"/orders/{order['id']}").text
