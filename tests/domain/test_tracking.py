"""Tracking: what a parcel is doing depends on what happened, not on the order in which we heard of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import schemas
from hub.domain.documents import TrackingEvent
from hub.domain.tracking import PROGRESS, event_hash, package_status
from hub.store.tables import package

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def story(*codes):
    """Events of these codes, an hour apart."""
    return [TrackingEvent(code, NOON + timedelta(hours=hour)) for hour, code in enumerate(codes)]


EVENTS = st.lists(
    st.builds(
        TrackingEvent, st.sampled_from(sorted(PROGRESS)), st.integers(0, 5).map(lambda h: NOON + timedelta(hours=h))
    ),
    max_size=8,
)


@given(EVENTS, st.randoms(use_true_random=False))
def test_the_status_does_not_depend_on_the_order_in_which_events_arrive(events, random):
    shuffled = list(events)
    random.shuffle(shuffled)
    assert package_status("labelled", shuffled) == package_status("labelled", events)


@given(EVENTS, st.data())
def test_an_event_told_twice_changes_nothing(events, data):
    again = data.draw(st.lists(st.sampled_from(events))) if events else []
    assert package_status("labelled", [*events, *again]) == package_status("labelled", events)


@given(EVENTS)
def test_every_status_is_one_that_a_package_may_have(events):
    allowed = next(rule for rule in package.constraints if "status" in str(rule.name or ""))
    assert f"'{package_status('labelled', events)}'" in str(allowed.sqltext)


def test_a_late_tracking_event_does_not_move_a_parcel_backwards():
    heard = story("pre_transit", "in_transit", "out_for_delivery", "delivered")
    late = heard.pop(1)
    assert package_status("labelled", heard) == "delivered"
    assert package_status("delivered", [*heard, late]) == "delivered"


@pytest.mark.parametrize(
    ("codes", "status"),
    [
        (["pre_transit"], "labelled"),
        (["pre_transit", "in_transit"], "in_transit"),
        (["in_transit", "exception"], "exception"),
        (["in_transit", "exception", "in_transit"], "in_transit"),
        (["out_for_delivery", "attempted"], "attempted"),
        (["attempted", "available_for_pickup"], "available_for_pickup"),
        (["in_transit", "unknown"], "in_transit"),
        (["pre_transit", "cancelled"], "voided"),
        (["in_transit", "returning", "returned_to_sender"], "returned_to_sender"),
        (["delivered", "in_transit"], "delivered"),
        (["delivered", "lost"], "delivered"),
        (["delivered", "exception"], "exception"),
        (["delivered", "returning"], "returning"),
        (["delivered", "returning", "in_transit"], "returning"),
        (["delivered", "returning", "returned_to_sender", "in_transit"], "returned_to_sender"),
        (["delivered", "exception", "delivered"], "delivered"),
        (["exception", "delivered"], "delivered"),
    ],
)
def test_the_last_thing_that_happened_is_the_status_and_delivered_is_left_only_for_a_reason(codes, status):
    assert package_status("labelled", story(*codes)) == status


def test_of_two_events_at_one_moment_the_one_further_along_counts():
    both = [TrackingEvent("delivered", NOON), TrackingEvent("out_for_delivery", NOON)]
    assert package_status("labelled", both) == package_status("labelled", both[::-1]) == "delivered"


def test_without_news_the_status_stays():
    assert package_status("in_transit", []) == "in_transit"
    assert package_status("in_transit", story("unknown")) == "in_transit"


def test_every_code_of_the_schema_has_its_place():
    event = schemas.schema("shipment.v1")["properties"]["packages"]["items"]["properties"]["events"]["items"]
    assert set(PROGRESS) == set(event["properties"]["code"]["enum"])


def test_a_scan_told_twice_is_one_scan_and_every_difference_makes_another():
    scan = TrackingEvent("in_transit", NOON, raw_code="AR", message="Arrived", place="Demo Town")
    assert event_hash(scan) == event_hash(replace(scan, external_id="told by another way"))
    others = [
        replace(scan, at=NOON + timedelta(seconds=1)),
        replace(scan, code="exception"),
        replace(scan, raw_code="AF"),
        replace(scan, message=None),
        replace(scan, place="Elsewhere"),
    ]
    assert len({event_hash(one) for one in [scan, *others]}) == 6
