"""When goods leave and when they arrive: cut-offs are wall-clock times of the place's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import schemas
from hub.domain.calendar import Calendar, arrives_on, calendar_of, ships_on

WEEK = {"cut_off": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "14:00")}
NEW_YORK = calendar_of(WEEK, "America/New_York")
TOKYO = calendar_of(WEEK, "Asia/Tokyo")
FRI_6, MON_9, TUE_10 = date(2026, 3, 6), date(2026, 3, 9), date(2026, 3, 10)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("calendar", "ordered", "leaves"),
    [
        pytest.param(NEW_YORK, "2026-03-06T18:59:59Z", FRI_6, id="T1 a second before the cut-off"),
        pytest.param(NEW_YORK, "2026-03-06T19:00:00Z", MON_9, id="T2 exactly at the cut-off"),
        pytest.param(NEW_YORK, "2026-03-09T18:30:00Z", TUE_10, id="T3 after the clocks changed"),
        pytest.param(TOKYO, "2026-03-06T04:00:00Z", FRI_6, id="T4 Tokyo before"),
        pytest.param(TOKYO, "2026-03-06T05:00:00Z", MON_9, id="T4 Tokyo after"),
    ],
)
def test_an_order_leaves_on_the_day_if_it_comes_strictly_before_the_cut_off(
    calendar: Calendar, ordered: str, leaves: date
) -> None:
    assert ships_on(calendar, at(ordered)) == leaves


def test_a_holiday_and_a_closed_day_are_days_on_which_nothing_leaves() -> None:
    calendar = calendar_of({**WEEK, "holidays": ["2026-03-09"], "closed_days": ["2026-03-10"]}, "America/New_York")
    assert ships_on(calendar, at("2026-03-06T19:00:00Z")) == date(2026, 3, 11)


def test_a_cut_off_may_differ_by_weekday() -> None:
    calendar = calendar_of({"cut_off": {"thu": "16:00", "fri": "11:00", "sat": "10:00"}}, "Europe/Berlin")
    assert ships_on(calendar, at("2026-03-05T14:59:00Z")) == date(2026, 3, 5)
    assert ships_on(calendar, at("2026-03-06T10:00:00Z")) == date(2026, 3, 7)
    assert ships_on(calendar, at("2026-03-07T09:00:00Z")) == date(2026, 3, 12)


def test_handling_days_are_open_days() -> None:
    calendar = calendar_of({**WEEK, "handling_days": 2, "holidays": ["2026-03-09"]}, "America/New_York")
    # Friday is the day it is taken; Monday is a holiday, so Tuesday and Wednesday are the two days.
    assert ships_on(calendar, at("2026-03-06T15:00:00Z")) == date(2026, 3, 11)


def test_carriers_count_monday_to_friday() -> None:
    calendar = calendar_of({**WEEK, "transit_days": {"US": 2, "*": 5}}, "America/New_York")
    assert arrives_on(calendar, FRI_6, "US") == TUE_10
    assert arrives_on(calendar, FRI_6, "DE") == date(2026, 3, 13)


def test_without_a_transit_time_nobody_knows_when_it_arrives() -> None:
    assert arrives_on(NEW_YORK, FRI_6, "US") is None
    assert arrives_on(calendar_of({**WEEK, "transit_days": {"US": 2}}, "UTC"), FRI_6, "DE") is None


def test_a_place_that_is_closed_all_year_ships_never() -> None:
    closed = frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(800))
    calendar = Calendar("UTC", {day: time(14) for day in range(7)}, closed)
    assert ships_on(calendar, at("2026-03-06T12:00:00Z")) is None


def test_an_hour_that_the_clocks_leave_out_or_repeat_moves_no_cut_off() -> None:
    calendar = Calendar("Europe/Berlin", dict.fromkeys(range(7), time(2, 30)))
    # 29 March 2026: 02:00 becomes 03:00, so 00:59Z is 01:59 and 01:00Z is 03:00, after the cut-off.
    assert ships_on(calendar, at("2026-03-29T00:59:00Z")) == date(2026, 3, 29)
    assert ships_on(calendar, at("2026-03-29T01:00:00Z")) == date(2026, 3, 30)
    # 25 October 2026: 03:00 becomes 02:00, so 02:29 comes twice, and both times are before the cut-off.
    assert ships_on(calendar, at("2026-10-25T00:29:00Z")) == date(2026, 10, 25)
    assert ships_on(calendar, at("2026-10-25T01:29:00Z")) == date(2026, 10, 25)
    assert ships_on(calendar, at("2026-10-25T01:30:00Z")) == date(2026, 10, 26)


ZONES = st.sampled_from(["America/New_York", "Asia/Tokyo", "Europe/Berlin", "Australia/Lord_Howe", "UTC"])
TIMES = st.builds(time, st.integers(0, 23), st.integers(0, 59))
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
DAYS = st.dates(date(2025, 1, 1), date(2027, 2, 1))
CALENDARS = st.builds(
    Calendar,
    ZONES,
    st.dictionaries(st.integers(0, 6), TIMES, min_size=1),
    st.frozensets(DAYS, max_size=20),
    st.integers(0, 5),
)


@given(CALENDARS, MOMENTS)
def test_goods_leave_on_an_open_day_that_is_not_past(calendar: Calendar, moment: datetime) -> None:
    leaves = ships_on(calendar, moment)
    assert leaves is not None
    assert calendar.is_open(leaves)
    assert leaves >= moment.astimezone(ZoneInfo(calendar.zone)).date()


@given(CALENDARS, MOMENTS, st.timedeltas(timedelta(0), timedelta(days=10)))
def test_who_orders_later_never_gets_it_earlier(calendar: Calendar, moment: datetime, later: timedelta) -> None:
    assert (ships_on(calendar, moment) or date.max) <= (ships_on(calendar, moment + later) or date.max)


@given(CALENDARS, MOMENTS)
def test_it_leaves_on_the_day_exactly_when_it_comes_before_that_day_s_cut_off(
    calendar: Calendar, moment: datetime
) -> None:
    local = moment.astimezone(ZoneInfo(calendar.zone))
    in_time = calendar.is_open(local.date()) and local.time() < calendar.cut_offs[local.weekday()]
    same_day = Calendar(calendar.zone, calendar.cut_offs, calendar.closed)
    assert (ships_on(same_day, moment) == local.date()) == in_time


@given(DAYS, st.integers(0, 30))
def test_a_parcel_never_arrives_on_a_weekend_nor_before_its_days(leaves: date, days: int) -> None:
    arrives = arrives_on(Calendar("UTC", {}, transit_days={"*": days}), leaves, "US")
    assert arrives is not None
    assert arrives >= leaves + timedelta(days=days)
    assert days == 0 or arrives.weekday() < 5


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({}, ""),
        ({"cut_off": {}}, "/cut_off"),
        ({"cut_off": {"mon": "25:00"}}, "/cut_off/mon"),
        ({"cut_off": {"mon": "14:00"}, "holidays": ["2026-02-30"]}, "/holidays/0"),
        ({"cut_off": {"mon": "14:00"}, "handling_days": -1}, "/handling_days"),
        ({"cut_off": {"mon": "14:00"}, "transit_days": {"US": 1.5}}, "/transit_days/US"),
    ],
)
def test_a_calendar_that_is_not_right_is_refused_with_the_field(document: dict[str, object], path: str) -> None:
    assert [one.path for one in schemas.errors("location-calendar.v1", document)] == [path]
