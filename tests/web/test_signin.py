"""Coming in: the one-time link, passwords, sessions, and the forms they protect."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, update

from hub.flows import operate
from hub.settings import Settings
from hub.store import people
from hub.store.tables import person, web_session
from hub.web import passwords
from hub.web.app import create_app
from tests.web.conftest import PASSWORD, Browser, Site


def link(site: Site) -> str:
    with site.world.db.begin() as tx:
        return f"/first-run/{people.make_link(tx, site.world.now())}"


ACCOUNT = {"name": "Anna", "email": "Anna@Example.com", "password": PASSWORD}


def test_the_first_run_link_makes_the_owner_once(site: Site) -> None:
    browser, path = Browser(site.app.test_client()), link(site)
    answer = browser.submit(path, ACCOUNT)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert browser.get("/orders/").status_code == 200
    [owner] = site.world.read(people.people)
    assert (owner.email, owner.role) == ("anna@example.com", "owner")
    assert owner.password_hash.startswith("$argon2id$")
    assert Browser(site.app.test_client()).get(path).status_code == 404


def test_the_first_run_link_lasts_a_day_and_a_newer_one_replaces_it(site: Site) -> None:
    client, first = site.app.test_client(), link(site)
    second = link(site)
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200
    site.world.later(hours=25)
    assert client.get(second).status_code == 404
    assert client.get("/first-run/guess").status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password": "short"}, "password"),
        ({"password": "password1234"}, "password"),
        ({"password": "aaaaaaaaaaaaaaaa"}, "password"),
        ({"email": "anna"}, "email"),
        ({"email": "anna smith@example.com"}, "email"),
    ],
)
def test_a_weak_account_is_refused_beside_its_field_and_the_link_stays_good(
    site: Site, change: dict[str, str], field: str
) -> None:
    browser, path = Browser(site.app.test_client()), link(site)
    answer = browser.submit(path, ACCOUNT | change)
    assert answer.status_code == 422
    marked = re.search(rf'id="{field}"[^>]*aria-invalid="true"', answer.text)
    assert marked
    assert change.get("password", "never shown") not in answer.text
    assert browser.submit(path, ACCOUNT).status_code == 302


def test_a_session_cookie_is_out_of_reach_and_only_its_hash_is_stored(site: Site) -> None:
    browser = Browser(site.app.test_client())
    site.person("owner")
    answer = browser.submit("/sign-in", {"email": "OWNER@example.com ", "password": PASSWORD})
    [cookie] = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith("orderhub=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    secret = cookie.split("=", 1)[1].split(";")[0]
    stored = site.world.read(lambda tx: tx.execute(select(web_session.c.id_hash)).scalars().all())
    assert stored == [people.hash_of(secret)]
    assert len(secret) >= 43


def test_over_https_the_cookie_is_bound_to_the_host(site: Site) -> None:
    site.app.extensions["orderhub"].settings.cookie_secure = True
    client = site.app.test_client()
    site.app.config["WTF_CSRF_ENABLED"] = False
    answer = client.post("/sign-in", data={"email": site.person("owner"), "password": PASSWORD})
    [cookie] = [one for one in answer.headers.getlist("Set-Cookie") if "orderhub=" in one]
    assert cookie.startswith("__Host-orderhub=")
    assert "Secure" in cookie


def test_every_miss_gets_the_same_answer(site: Site) -> None:
    site.person("owner")
    answers = {}
    for email in ("owner@example.com", "nobody@example.com", ""):
        browser = Browser(site.app.test_client())
        answer = browser.submit("/sign-in", {"email": email, "password": "wrong wrong wrong"})
        assert answer.status_code == 401
        answers[email] = re.sub(r'value="[^"]*"', "", answer.text)
    assert len(set(answers.values())) == 1


def test_five_wrong_passwords_shut_the_account_for_a_while(site: Site) -> None:
    email = site.person("owner")
    browser = Browser(site.app.test_client())
    for _ in range(5):
        browser.submit("/sign-in", {"email": email, "password": "wrong wrong wrong"})
    assert browser.submit("/sign-in", {"email": email, "password": PASSWORD}).status_code == 401
    site.world.later(seconds=61)
    assert browser.submit("/sign-in", {"email": email, "password": PASSWORD}).status_code == 302
    assert site.world.read(lambda tx: people.by_email(tx, email)).failed_sign_ins == 0


def test_guessing_is_slowed_down_whoever_is_guessed(site: Site) -> None:
    site.app.extensions["orderhub"].sign_ins.clock = lambda: 0.0
    site.app.config["WTF_CSRF_ENABLED"] = False
    client = site.app.test_client()
    site.app.extensions["orderhub"].sign_ins.burst = 3
    answers = [
        client.post("/sign-in", data={"email": f"{n}@example.com", "password": "x"}).status_code for n in range(5)
    ]
    assert answers == [401, 401, 401, 429, 429]


@pytest.mark.parametrize(("proxies", "answers"), [(1, [401, 401, 401, 429, 401]), (0, [401, 401, 401, 429, 429])])
def test_behind_a_trusted_proxy_who_guesses_slows_down_nobody_else(
    site: Site, proxies: int, answers: list[int]
) -> None:
    app = create_app(Settings(_env_file=None, cookie_secure=False, trusted_proxies=proxies), site.world.runtime)
    limiter = app.extensions["orderhub"].sign_ins
    limiter.clock, limiter.burst = lambda: 0.0, 3
    app.config["WTF_CSRF_ENABLED"] = False
    # What a caller says of itself stands before what the proxy adds, and does not count.
    guesser = {"X-Forwarded-For": "192.0.2.1, 203.0.113.9"}
    other = {"X-Forwarded-For": "203.0.113.10"}
    form = {"email": "anna@example.com", "password": "x"}
    said = [app.test_client().post("/sign-in", data=form, headers=one).status_code for one in [guesser] * 4 + [other]]
    assert said == answers


def test_behind_a_trusted_proxy_links_name_the_host_that_people_use(site: Site) -> None:
    app = create_app(Settings(_env_file=None, cookie_secure=False, trusted_proxies=1), site.world.runtime)
    site.app = app
    owner = site.signed_in()
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "hub.example.com"}
    form = {"csrf_token": owner.token("/settings/")}
    page = owner.client.post(f"/settings/people/{site.ids['owner']}/link", data=form, headers=said)
    assert "https://hub.example.com/new-password/" in page.text


def test_a_session_ends_after_rest_and_after_a_week(site: Site) -> None:
    browser = site.signed_in()
    site.world.later(hours=7)
    assert browser.get("/orders/").status_code == 200
    site.world.later(hours=7)
    assert browser.get("/orders/").status_code == 200
    site.world.later(hours=9)
    assert browser.get("/orders/").status_code == 302
    browser = site.signed_in()
    for _ in range(24):
        site.world.later(hours=7)
        browser.get("/orders/")
    assert browser.get("/orders/").status_code == 302


def new_password_link(site: Site, owner: Browser, role: str) -> str:
    """The path of the one-time link that the owner makes for somebody of that role."""
    page = owner.submit(f"/settings/people/{site.ids[role]}/link", page="/settings/")
    found = re.search(r'id="new-link">http://localhost(/new-password/[^<]+)<', page.text)
    assert found, page.text
    return found[1]


def test_an_owner_makes_a_link_by_which_somebody_chooses_a_new_password(site: Site) -> None:
    there, owner = site.signed_in("ops"), site.signed_in()
    path, browser = new_password_link(site, owner, "ops"), Browser(site.app.test_client())
    assert "ops@example.com" in browser.get(path).text
    assert browser.submit(path, {"password": "short"}).status_code == 422
    assert there.get("/orders/").status_code == 200
    assert browser.submit(path, {"password": "another lamp upstairs"}).headers["Location"] == "/"
    assert browser.get("/orders/").status_code == 200
    assert there.get("/orders/").status_code == 302
    assert browser.get(path).status_code == 404
    old, new = (
        Browser(site.app.test_client()).submit("/sign-in", {"email": "ops@example.com", "password": one})
        for one in (PASSWORD, "another lamp upstairs")
    )
    assert (old.status_code, new.status_code) == (401, 302)


def test_a_new_password_opens_an_account_that_was_shut_by_wrong_ones(site: Site) -> None:
    owner, email = site.signed_in(), site.person("ops")
    for _ in range(5):
        Browser(site.app.test_client()).submit("/sign-in", {"email": email, "password": "wrong wrong wrong"})
    path = new_password_link(site, owner, "ops")
    assert Browser(site.app.test_client()).submit(path, {"password": "another lamp upstairs"}).status_code == 302
    again = Browser(site.app.test_client()).submit("/sign-in", {"email": email, "password": "another lamp upstairs"})
    assert again.status_code == 302


def test_a_link_of_somebody_who_is_shut_out_does_not_work(site: Site) -> None:
    site.person("packer")
    owner = site.signed_in()
    path = new_password_link(site, owner, "packer")
    owner.submit(f"/settings/people/{site.ids['packer']}", {"role": "packer", "active": "no"}, "/settings/")
    assert site.app.test_client().get(path).status_code == 404
    assert site.app.test_client().get("/new-password/guess").status_code == 404


def test_nobody_comes_in_without_a_password_by_an_account_that_has_none_yet(site: Site) -> None:
    operate.add_person(site.world.runtime, "new@example.com", role="ops")
    for password in ("", "there is no such person"):
        browser = Browser(site.app.test_client())
        assert browser.submit("/sign-in", {"email": "new@example.com", "password": password}).status_code == 401


def test_signing_out_ends_the_session_itself_and_not_only_the_cookie(site: Site) -> None:
    browser = site.signed_in()
    stolen = browser.client.get_cookie("orderhub").value
    browser.submit("/sign-out", page="/orders/")
    thief = site.app.test_client()
    thief.set_cookie("orderhub", stolen)
    assert thief.get("/orders/").status_code == 302


def test_signing_out_everywhere_ends_all_own_sessions_and_no_others(site: Site) -> None:
    one, two, other = site.signed_in("ops"), site.signed_in("ops"), site.signed_in("viewer")
    one.submit("/settings/sign-out-everywhere", page="/settings/")
    assert [who.get("/orders/").status_code for who in (one, two, other)] == [302, 302, 200]
    site.signed_in("owner").submit("/settings/sign-out-everybody", page="/settings/")
    assert other.get("/orders/").status_code == 302


def test_a_new_password_ends_every_other_session(site: Site) -> None:
    here, there = site.signed_in("ops"), site.signed_in("ops")
    wrong = here.submit("/settings/password", {"old": "not it, not it", "new": "another lamp upstairs"}, "/settings/")
    assert wrong.status_code == 422
    assert here.submit("/settings/password", {"old": PASSWORD, "new": "short"}, "/settings/").status_code == 422
    done = here.submit("/settings/password", {"old": PASSWORD, "new": "another lamp upstairs"}, "/settings/")
    assert done.status_code == 302
    assert here.get("/orders/").status_code == 200
    assert there.get("/orders/").status_code == 302


def test_somebody_who_is_shut_out_is_out_at_once(site: Site) -> None:
    packer, owner = site.signed_in("packer"), site.signed_in()
    owner.submit(f"/settings/people/{site.ids['packer']}", {"role": "packer", "active": "no"}, "/settings/")
    assert packer.get("/orders/").status_code == 302
    again = Browser(site.app.test_client()).submit("/sign-in", {"email": "packer@example.com", "password": PASSWORD})
    assert again.status_code == 401


def test_the_last_owner_cannot_be_shut_out(site: Site) -> None:
    owner = site.signed_in()
    for change in ({"role": "viewer", "active": "yes"}, {"role": "owner", "active": "no"}):
        owner.submit(f"/settings/people/{site.ids['owner']}", change, "/settings/")
    [row] = site.world.read(people.people)
    assert (row.role, row.active) == ("owner", True)


def test_a_changed_role_counts_at_once(site: Site) -> None:
    viewer = site.signed_in("viewer")
    with site.world.db.begin() as tx:
        tx.execute(update(person).where(person.c.id == site.ids["viewer"]).values(role="ops"))
    assert "Correct the stock" not in viewer.get("/stock/").text
    site.world.location("EAST")
    site.world.stock("location MUG\nEAST 1")
    assert "Correct the stock" in viewer.get("/stock/MUG").text


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "/a\nb"]
)
def test_after_signing_in_nobody_is_sent_elsewhere(site: Site, target: str) -> None:
    browser = Browser(site.app.test_client())
    form = {"email": site.person("owner"), "password": PASSWORD, "next": target}
    assert browser.submit("/sign-in", form).headers["Location"] == "/"


def test_after_signing_in_one_is_where_one_wanted_to_go(site: Site) -> None:
    browser = Browser(site.app.test_client())
    asked = browser.get("/stock/?q=MUG")
    assert asked.headers["Location"] == "/sign-in?next=/stock/?q%3DMUG"
    form = {"email": site.person("owner"), "password": PASSWORD, "next": "/stock/?q=MUG"}
    assert browser.submit("/sign-in", form).headers["Location"] == "/stock/?q=MUG"


def test_a_form_from_before_the_sign_in_stops_working(site: Site) -> None:
    browser = Browser(site.app.test_client())
    old = browser.token("/sign-in")
    browser.submit("/sign-in", {"email": site.person("owner"), "password": PASSWORD})
    assert (
        browser.client.post("/settings/keys", data={"csrf_token": old, "key_name": "x", "key_role": "ops"}).status_code
        == 400
    )


def test_passwords_are_hashed_with_argon2id_and_told_apart() -> None:
    stored = passwords.hashed(PASSWORD)
    assert stored.startswith("$argon2id$")
    assert passwords.fits(stored, PASSWORD)
    assert not passwords.fits(stored, PASSWORD + " ")
    assert not passwords.fits(None, PASSWORD)
    assert not passwords.fits("not a hash", PASSWORD)
    assert not passwords.fits("", "there is no such person")
