"""The pages of routing: versions, the editor, rehearsals, and why an order went where it went."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, update

from hub.domain.routing import rules as domain
from hub.domain.routing.rules import DEFAULT, Routing, RuleSet
from hub.domain.routing.shapes import Step
from hub.flows import rulefile
from hub.store import rules
from hub.store.tables import orders, route_decision
from hub.web import rule_form
from tests.web.conftest import Browser, Site


@pytest.fixture
def stocked(site: Site) -> Site:
    site.world.location("EAST", "US", rank=200)
    site.world.location("WEST", "CA", rank=100)
    site.world.stock("location MUG TEE\nEAST 5 2\nWEST 5 0")
    return site


def order_id(site: Site, number: str) -> str:
    return site.world.read(lambda tx: tx.execute(select(orders.c.id).where(orders.c.number == number)).scalar_one())


def form_of(page: str) -> dict[str, str]:
    """What a browser would send of the editor's form, as the page shows it."""
    sent = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name = re.search(r' name="([^"]+)"', tag)
        if name is None or name[1] == "csrf_token":
            continue
        value = re.search(r' value="([^"]*)"', tag)
        if 'type="checkbox"' in tag:
            if " checked" in tag:
                sent[name[1]] = "on"
        else:
            sent[name[1]] = value[1].replace("&#34;", '"') if value else ""
    for name, inside in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', inside)
        sent[name] = chosen[1] if chosen else ""
    return sent


def draft(site: Site, browser: Browser) -> str:
    """A new draft of the rules that count; the address of its editor."""
    answer = browser.submit("/routing/rules/standard@0/draft", page="/routing/")
    assert answer.status_code == 302
    return str(answer.headers["Location"])


def saved(site: Site, key: str = "standard") -> domain.RuleSet:
    return site.world.read(lambda tx: rules.find(tx, key)).rules


def test_without_rules_of_ones_own_the_page_says_what_counts_and_what_to_do(site: Site) -> None:
    page = site.signed_in("viewer").get("/routing/").text
    assert "standard@0" in page
    assert "make a draft, rehearse it on your last orders, and publish it" in page
    assert "Make a draft" not in page, "a viewer only looks"
    assert "every order" in site.signed_in("viewer").get("/routing/rules/standard@0").text


def test_the_editor_saves_what_it_shows(site: Site) -> None:
    ops = site.signed_in("ops")
    address = draft(site, ops)
    sent = form_of(ops.get(address).text)
    assert ops.submit(address, sent).status_code == 302
    assert saved(site) == DEFAULT
    sent |= {
        "routings-0-steps-0-rankers": "ranked, closest",
        "routings-0-steps-0-radius_km": "160",
        "routings-0-steps-0-late_ok": "on",
        "grace_minutes": "15",
        "note": "by rank",
    }
    assert ops.submit(address, sent).status_code == 302
    step = saved(site).routings[0].steps[0]
    assert (step.rankers, step.radius_km, step.late_ok) == (("ranked", "closest"), 160, True)
    assert saved(site).grace_minutes == 15
    assert "by rank" in ops.get("/routing/").text


def test_two_people_at_one_draft_do_not_overwrite_each_other(site: Site) -> None:
    mia, ben = site.signed_in("ops"), site.signed_in("manager")
    address = draft(site, mia)
    text = address.replace("/edit", "/yaml")
    hers, his, whole = form_of(mia.get(address).text), form_of(ben.get(address).text), ben.get(text).text
    mia.submit(address, {**hers, "routings-0-steps-0-rankers": "closest"})
    late = ben.submit(address, {**his, "routings-0-steps-0-rankers": "market"})
    assert late.status_code == 409
    assert "Not saved: somebody else has changed standard@1" in late.text
    assert 'value="market"' in late.text, "what he wrote is still there"
    yaml = {"yaml": rulefile.write(DEFAULT), "seen": form_of(whole)["seen"]}
    assert "somebody else has changed" in ben.submit(text, yaml).text
    assert saved(site).routings[0].steps[0].rankers == ("closest",)
    assert ben.submit(address, form_of(late.text)).status_code == 302
    assert saved(site).routings[0].steps[0].rankers == ("market",), "he has seen it and replaces it"


def test_steps_and_routings_are_added_moved_and_removed_by_buttons_alone(site: Site) -> None:
    ops = site.signed_in("ops")
    address = draft(site, ops)

    def press(act: str, sent: dict[str, str]) -> dict[str, str]:
        answer = ops.submit(address, {**sent, "act": act})
        assert answer.status_code == 200
        return form_of(answer.text)

    sent = press("add:routings-0-steps", form_of(ops.get(address).text))
    assert sent["routings-0-steps-2-name"] == "new step"
    sent = press(
        "up:routings-0-steps-2", {**sent, "routings-0-steps-2-name": "near", "routings-0-steps-2-assign": "single"}
    )
    assert (sent["routings-0-steps-1-name"], sent["routings-0-steps-2-name"]) == ("near", "late")
    sent = press("add:routings", sent)
    assert (sent["routings-0-name"], sent["routings-1-name"]) == ("new routing", "every order")
    sent |= {"routings-0-name": "vip", "routings-0-when-tags": "vip, gold"}
    sent = press("add:routings-1-remainder", sent)
    sent |= {"routings-1-remainder-0-then": "auto_cancel:3", "routings-1-remainder-0-skus": "SALE-*"}
    assert ops.submit(address, {**sent, "act": "save"}).status_code == 302
    found = saved(site)
    assert [one.name for one in found.routings] == ["vip", "every order"]
    assert found.routings[0].when.tags == {"vip", "gold"}
    assert [(one.name, one.assign) for one in found.routings[1].steps] == [
        ("anywhere", "partial"),
        ("near", "single"),
        ("late", "partial"),
    ]
    assert found.routings[1].then("SALE-1") == "auto_cancel:3"
    sent = press("drop:routings-1-steps-0", form_of(ops.get(address).text))
    assert sent["routings-1-steps-0-name"] == "near"
    assert "routings-1-steps-2-name" not in sent
    assert saved(site) == found, "nothing is saved by these buttons"


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_saved(site: Site) -> None:
    ops = site.signed_in("ops")
    address = draft(site, ops)
    sent = form_of(ops.get(address).text)
    sent |= {"routings-0-steps-0-rankers": "nearest", "routings-0-steps-0-radius_km": "far"}
    answer = ops.submit(address, sent)
    assert answer.status_code == 422
    assert re.search(
        r'id="routings-0-steps-0-radius_km-error">.*"far" is not of type', answer.text.replace("&#34;", '"')
    )
    assert 'value="far"' in answer.text
    sent["routings-0-steps-0-radius_km"] = ""
    answer = ops.submit(address, sent)
    assert "no ranker is called &#39;nearest&#39;; there are: acceptance_rate" in answer.text
    assert saved(site) == DEFAULT


def test_a_button_of_a_page_that_is_out_of_date_does_no_harm() -> None:
    for act in (
        "up:routings-7",
        "drop:routings-x",
        "add:nothing",
        "add:routings-0-steps-9-rankers",
        "",
        "up:",
        "drop:name",
    ):
        document = domain.document(DEFAULT)
        assert rule_form.changed(document, act) == domain.document(DEFAULT), act


def test_rules_may_be_edited_as_yaml_with_mistakes_at_their_line(site: Site) -> None:
    ops = site.signed_in("ops")
    address = draft(site, ops).replace("/edit", "/yaml")
    text = "name: standard\nroutings:\n  - name: every order\n    steps:\n      - rankers: [nearest]\n"
    answer = ops.submit(address, {"yaml": text})
    assert answer.status_code == 422
    assert "Line 5" in answer.text
    assert "<code>- rankers: [nearest]</code>" in answer.text
    assert ops.submit(address, {"yaml": text.replace("nearest", "closest").replace("\n", "\r\n")}).status_code == 302
    assert saved(site).routings[0].steps[0].rankers == ("closest",)


def test_the_publish_button_comes_with_the_rehearsal(stocked: Site) -> None:
    placed = stocked.order(("MUG", 1))
    manager = stocked.signed_in("manager")
    address = draft(stocked, manager)
    shown = address.removesuffix("/edit")
    assert (
        manager.submit(
            address, {**form_of(manager.get(address).text), "routings-0-steps-0-rankers": "ranked"}
        ).status_code
        == 302
    )
    assert "Publish" not in manager.get(shown).text
    refused = manager.submit(f"{shown}/publish", page=shown)
    assert "never rehearsed" in manager.get(refused.headers["Location"]).text

    asked = manager.submit(f"{shown}/rehearse", {"orders": "10"}, page=shown).headers["Location"]
    running = manager.get(asked).text
    assert "<progress" in running
    assert "Publish" not in running
    stocked.world.run()
    done = manager.get(asked).text
    assert "1 of 1 orders would go elsewhere" in done
    assert placed.name in done
    assert "WEST because" in done
    assert re.search(r'<meter min="0" max="1" value="1" aria-label="WEST by the draft">', done)
    assert "Publish standard@1" in done
    assert "Publish standard@1" not in stocked.signed_in("ops").get(asked).text
    assert stocked.signed_in("ops").submit(f"{shown}/publish", page=shown).status_code == 403
    manager.submit(f"{shown}/publish", page=asked)
    assert "Counts now" in manager.get(shown).text
    assert saved(stocked, "published").routings[0].steps[0].rankers == ("ranked",)
    assert manager.get(address).status_code == 302, "a published version is not edited"


def test_one_order_is_tried_by_both_rules_side_by_side(stocked: Site) -> None:
    placed = stocked.order(("MUG", 1))
    ops = stocked.signed_in("ops")
    address = draft(stocked, ops)
    ops.submit(address, {**form_of(ops.get(address).text), "routings-0-steps-0-rankers": "ranked"})
    trial = address.replace("/edit", "/try")
    page = ops.get(trial, query_string={"order": placed.name}).text
    assert "EAST because" in page
    assert "WEST because" in page
    assert "goes elsewhere" in page
    page = ops.get(trial, query_string={"skus": "MUG 99, TEE", "country": "us"}).text
    assert "MUG 90" in page, "5 + 5 in stock, one of them taken: 9 of 99 ship"
    near = {"skus": "TEE", "country": "us", "latitude": "40.71", "longitude": "-74.01"}
    assert "EAST because" in ops.get(trial, query_string=near).text
    wrong = ops.get(trial, query_string={**near, "latitude": "north"})
    assert (wrong.status_code, "are no degrees" in wrong.text) == (422, True)
    assert "is no country" in ops.get(trial, query_string={"skus": "TEE", "country": "Germany"}).text
    assert ops.get(trial, query_string={"skus": "NOPE 1"}).status_code == 422
    assert ops.get(trial, query_string={"order": "#none"}).status_code == 422


def test_a_group_that_no_location_is_in_is_told_beside_the_rules(stocked: Site) -> None:
    ops = stocked.signed_in("ops")
    address = draft(stocked, ops)
    shown = address.removesuffix("/edit")
    assert "Look again" not in ops.get(shown).text
    ops.submit(address, {**form_of(ops.get(address).text), "routings-0-steps-0-groups": "stors"})
    assert "Look again: no location is in the group &#39;stors&#39;." in ops.get(shown).text


def test_a_place_is_marked_in_the_step_that_chose_it_alone(stocked: Site) -> None:
    ops = stocked.signed_in("ops")
    address = draft(stocked, ops)
    ladder = RuleSet("standard", (Routing("every order", (Step("one parcel", assign="single"), Step("several"))),))
    ops.submit(address.replace("/edit", "/yaml"), {"yaml": rulefile.write(ladder)})
    page = ops.get(address.replace("/edit", "/try"), query_string={"skus": "MUG 7", "country": "US"}).text
    alone, several = page.partition("By standard@1")[2].split("Step 2: several")
    assert "This step found no place" in alone
    assert (alone.count("● chosen"), several.count("● chosen")) == (0, 2)


def test_an_orders_page_tells_why_and_decides_again(stocked: Site) -> None:
    found = order_id(stocked, stocked.order(("MUG", 1), ("TEE", 1)).name)
    viewer = stocked.signed_in("viewer")
    assert f"/orders/{found}/why" in viewer.get(f"/orders/{found}").text
    page = viewer.get(f"/orders/{found}/why").text
    for words in (
        "EAST because it ships all 2 lines",
        "min_splits",
        "chosen",
        "Decide it again",
        "built-in rules",
        "MUG 1",
    ):
        assert words in page
    assert "every part of it is the same" in viewer.get(f"/orders/{found}/why?again=1").text
    with stocked.world.db.begin() as tx:
        tx.execute(update(route_decision).values(inputs_hash="0" * 64))
    assert "something differs" in viewer.get(f"/orders/{found}/why?again=1").text
    with stocked.world.db.begin() as tx:
        tx.execute(update(route_decision).values(inputs=None))
    page = viewer.get(f"/orders/{found}/why?again=1").text
    assert "was not kept" in page
    assert viewer.get("/orders/gone/why").status_code == 404


def test_what_does_not_exist_is_said_to_be_missing(site: Site) -> None:
    ops = site.signed_in("ops")
    for path in ("/routing/rules/gone@1", "/routing/rules/gone/edit", "/routing/rehearsals/gone"):
        assert ops.get(path).status_code == 404, path
