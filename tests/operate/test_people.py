"""People and keys as whoever runs the hub handles them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from hub.flows import operate
from hub.flows.operate import NotDoneError
from hub.store import people
from hub.store.database import Database
from hub.store.people import Person, UnknownKeyError, UnknownPersonError
from hub.testing.world import World


@pytest.fixture
def world(db: Database) -> World:
    made = World(db)
    operate.add_person(made.runtime, "Anna@Example.com", role="owner", name="Anna", password_hash="x")
    return made


def who(world: World, path: str) -> Person | None:
    """Whose new password a link makes."""
    return world.read(lambda tx: people.link_person(tx, path.removeprefix("/new-password/"), world.now()))


def test_a_link_is_one_persons_alone_and_ends_the_one_before(world: World) -> None:
    operate.add_person(world.runtime, "ben@example.com", role="ops")
    first, other = (
        operate.link_for(world.runtime, "anna@example.com"),
        operate.link_for(world.runtime, "ben@example.com"),
    )
    second = operate.link_for(world.runtime, "ANNA@example.com")
    assert who(world, first) is None
    assert [one.email for one in (who(world, second), who(world, other)) if one] == [
        "anna@example.com",
        "ben@example.com",
    ]
    world.later(hours=25)
    assert who(world, second) is None


def test_a_link_is_spent_once(world: World) -> None:
    token = operate.link_for(world.runtime, "anna@example.com").removeprefix("/new-password/")
    with world.db.begin() as tx:
        assert people.use_link(tx, token, world.now())
        assert not people.use_link(tx, token, world.now())
    assert who(world, token) is None


def test_a_link_to_a_password_makes_no_first_account_nor_ends_the_one_that_does(world: World) -> None:
    with world.db.begin() as tx:
        first_run = people.make_link(tx, world.now())
    token = operate.link_for(world.runtime, "anna@example.com").removeprefix("/new-password/")
    assert world.read(lambda tx: people.is_setup_link(tx, first_run, world.now()))
    assert not world.read(lambda tx: people.is_setup_link(tx, token, world.now()))
    assert who(world, first_run) is None


def test_who_is_shut_out_gets_no_link_and_the_one_at_hand_stops_working(world: World) -> None:
    operate.add_person(world.runtime, "ben@example.com", role="ops")
    link = operate.link_for(world.runtime, "ben@example.com")
    assert not operate.change_person(world.runtime, "ben@example.com", active=False).active
    assert who(world, link) is None
    with pytest.raises(NotDoneError, match="let them in again first"):
        operate.link_for(world.runtime, "ben@example.com")
    assert operate.change_person(world.runtime, "ben@example.com", active=True).role == "ops"


@pytest.mark.parametrize("email", ["anna", "anna @example.com", "@example.com", "anna@localhost", "a" * 250 + "@x.com"])
def test_what_is_no_address_is_refused(world: World, email: str) -> None:
    with pytest.raises(NotDoneError, match="e-mail address"):
        operate.add_person(world.runtime, email, role="ops")


def test_an_account_is_made_once_and_in_a_role_that_there_is(world: World) -> None:
    with pytest.raises(NotDoneError, match="there is an account"):
        operate.add_person(world.runtime, "anna@example.com", role="ops")
    with pytest.raises(NotDoneError, match="no role 'king'"):
        operate.add_person(world.runtime, "ben@example.com", role="king")
    with pytest.raises(UnknownPersonError):
        operate.change_person(world.runtime, "nobody@example.com", role="ops")


def test_there_is_always_somebody_who_can_let_people_in(world: World) -> None:
    for change in ({"role": "ops"}, {"active": False}):
        with pytest.raises(NotDoneError, match="the last owner"):
            operate.change_person(world.runtime, "anna@example.com", **change)
    operate.add_person(world.runtime, "ben@example.com", role="owner")
    operate.change_person(world.runtime, "anna@example.com", role="ops")
    assert [one.role for one in world.read(people.people)] == ["ops", "owner"]


def test_two_owners_who_shut_each_other_out_do_not_both_succeed(world: World) -> None:
    operate.add_person(world.runtime, "ben@example.com", role="owner")
    both = threading.Barrier(2)

    def shut_out(email: str) -> str:
        both.wait()
        try:
            operate.change_person(world.runtime, email, active=False)
        except NotDoneError as error:
            return str(error)
        return "done"

    with ThreadPoolExecutor(2) as pool:
        ends = sorted(pool.map(shut_out, ["anna@example.com", "ben@example.com"]))
    assert ends[1] == "done"
    assert "the last owner" in ends[0]
    assert sorted(one.active for one in world.read(people.people)) == [False, True]


def test_a_key_is_revoked_by_its_name_its_end_or_its_id(world: World) -> None:
    text = operate.add_key(world.runtime, "screen", "viewer")
    operate.add_key(world.runtime, "screen", "ops")
    operate.add_key(world.runtime, "till", "ops")
    with pytest.raises(NotDoneError, match="2 keys are called 'screen'"):
        operate.revoke_key(world.runtime, "screen")
    assert operate.revoke_key(world.runtime, text[-4:]).role == "viewer"
    assert world.read(lambda tx: people.key_row(tx, text)) is None
    assert operate.revoke_key(world.runtime, "screen").role == "ops"
    assert operate.revoke_key(world.runtime, world.read(people.keys)[0].id).name == "till"
    with pytest.raises(UnknownKeyError):
        operate.revoke_key(world.runtime, "till")
    with pytest.raises(NotDoneError, match="what the key is for"):
        operate.add_key(world.runtime, " ", "ops")
