from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.timestamps import stamps, zone_trouble

JAKARTA = ZoneInfo("Asia/Jakarta")
BERLIN = ZoneInfo("Europe/Berlin")


def troubles(body: object) -> list[str]:
    return [f"{stamp.path} {stamp.trouble}" for stamp in stamps(body) if stamp.trouble]


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-26T10:00:00+07:00",
        "2026-01-26T10:00:00Z",
        "2026-01-26T10:00Z",
        "2026-01-26t10:00:00.123456789z",
        "2026-01-26T10:00:00,5+0700",
        "2026-01-26T10:00:00+07",
        "2016-12-31T23:59:60Z",
        "20260126T100000Z",
        "20260126T100000+0700",
    ],
)
def test_a_timestamp_with_an_offset_is_right(value: str) -> None:
    (stamp,) = stamps({"at": value})

    assert (stamp.trouble, stamp.moment is None) == ("", False)


@pytest.mark.parametrize(
    ("value", "trouble"),
    [
        ("2026-01-26T10:00:00", "has no offset"),
        ("2026-01-26T10:00:00.123", "has no offset"),
        ("2026-02-30T10:00:00Z", "is no moment of the calendar"),
        ("2026-01-26 10:00:00+07:00", "is not ISO 8601"),
        ("2026-01-26 10:00:00", "is not ISO 8601"),
        ("2026-01-26 10:00:00 UTC", "is not ISO 8601"),
        ("2026-01-26T10:00:00+07:00[Asia/Jakarta]", "is not ISO 8601"),
        ("2026/01/26 10:00", "is not ISO 8601"),
        ("26/01/2026 10:00:00", "is not ISO 8601"),
        ("01/26/2026 10:00 AM", "is not ISO 8601"),
        ("26.01.2026 10:00", "is not ISO 8601"),
        ("Mon, 26 Jan 2026 10:00:00 GMT", "is not ISO 8601"),
        ("Mon Jan 26 10:00:00 2026", "is not ISO 8601"),
        ("Jan 26, 2026 10:00 PM", "is not ISO 8601"),
        ("26 January 2026, 10:00", "is not ISO 8601"),
        ("/Date(1769396400000)/", "is not ISO 8601"),
    ],
)
def test_a_date_with_a_time_in_any_other_shape_is_wrong_whatever_its_field(value: str, trouble: str) -> None:
    assert troubles({"x": [{"y": value}]}) == [f"$.x[0].y {trouble}"]


@pytest.mark.parametrize(
    "body",
    [
        {"due": "2026-01-26"},
        {"created_at": "2026-01-26"},
        {"created_at": "20260126"},
        {"created_at": None},
        {"created_at": ""},
        {"shift_start": "08:00"},
        {"opens_at": "08"},
        {"opens_at": "08:00:00", "delivery_time": "14:30:00.5+01:00", "closing_time": "T20:00:00Z"},
        {"elapsed_time": "0:01:30.5", "lead_time": "2 days, 4:00:00", "cycle_time": "1 day 04:00:00"},
        {"version": "2026.01.26"},
        {"version": "1.0.0-20260126T100000"},
        {"id": "20260126T100000"},
        {"id": "2026-01-26-0001"},
        {"order": "PO-2026-01-26T10:00:00"},
        {"phone": "+62 21 5550 1003"},
        {"phone": "0812-3456-7890"},
        {"duration": "P3DT10H30M"},
        {"elapsed_time": 1200},
        {"run_time_ms": 1769396400},
        {"quantity": 1769396400},
        {"id": 1769396400000},
        {"location_at": "Shelf 12"},
        {"stored_at": "Warehouse 5, row 10"},
        {"is_on": True},
        {"updated": False},
        {"count_updated": 12},
        {"exp": 1769396400, "iat": 1769392800},
        {"notes": "2026-01-26 10:00"},
        {"message": "2026-01-26T10:00:00"},
        {"text": "seen at 2026-01-26T10:00:00 by the guard"},
        {"next_cursor": "2026-01-26T10:00:00"},
        {"url": "https://x.example/2026-01-26T10:00:00"},
        {"big": 10**400, "created_at": 10**400},
        [1, "a", None, 2.5],
        "hello",
    ],
)  # fmt: skip
def test_what_is_no_timestamp_is_no_finding(body: object) -> None:
    assert troubles(body) == []


@pytest.mark.parametrize(
    ("body", "trouble"),
    [
        ({"created_at": 1769396400}, "$.created_at is a number (seconds since 1970)"),
        ({"createdAt": 1769396400123}, "$.createdAt is a number (milliseconds since 1970)"),
        ({"updated": 1769396400.5}, "$.updated is a number (seconds since 1970)"),
        ({"timestamp": "1769396400"}, "$.timestamp is a number in a string (seconds since 1970)"),
        ({"created_at": "26/01/2026"}, "$.created_at is not ISO 8601"),
        ({"created_on": "Jan 26, 2026"}, "$.created_on is not ISO 8601"),
        ({"created_at": "10:00:00"}, "$.created_at is not ISO 8601"),
        ({"login_time": "10:00:00 PM"}, "$.login_time is not ISO 8601"),
        ({"startTime": "today 10:00"}, "$.startTime is not ISO 8601"),
        ({"a b": {"2026-01-26T10:00:00": 5}}, "$['a b']['2026-01-26T10:00:00'] has no offset"),
        ({"span": "2026-01-26T10:00:00/2026-01-27T10:00:00Z"}, "$.span has no offset"),
    ],
)
def test_a_field_named_for_a_moment_and_odd_places_are_looked_at(body: object, trouble: str) -> None:
    assert troubles(body) == [trouble]


EPOCH = {"exp": "seconds", "posted_at": "milliseconds"}


@pytest.mark.parametrize(
    ("body", "trouble"),
    [
        ({"exp": 1769396400, "posted_at": 1769396400123}, None),
        ({"a": [{"exp": 1769396400.25}, {"exp": 0}, {"exp": None}]}, None),
        ({"posted_at": 1769396400}, "is a number of seconds since 1970, milliseconds are promised"),
        ({"exp": 1769396400123}, "is a number of milliseconds since 1970, seconds are promised"),
        ({"exp": "1769396400"}, "is no number of seconds since 1970"),
        ({"exp": "2026-01-26T10:00:00Z"}, "is no number of seconds since 1970"),
    ],
)
def test_a_field_that_counts_since_1970_has_to_do_so_and_is_in_no_zone(
    body: object, trouble: str | None
) -> None:
    found = list(stamps(body, EPOCH))

    assert [stamp.trouble for stamp in found if stamp.trouble] == ([trouble] if trouble else [])
    assert not [stamp for stamp in found if zone_trouble(stamp, JAKARTA)]


@pytest.mark.parametrize(
    ("value", "zone", "trouble"),
    [
        ("2026-01-26T10:00:00+07:00", JAKARTA, ""),
        ("2026-01-26T03:00:00Z", JAKARTA, "has the offset +00:00, Asia/Jakarta has +07:00"),
        ("2026-01-26T10:00:00+01:00", BERLIN, ""),
        ("2026-07-26T10:00:00+02:00", BERLIN, ""),
        ("2026-07-26T10:00:00+01:00", BERLIN, "has the offset +01:00, Europe/Berlin has +02:00"),
        ("2026-01-26T10:00:00Z", ZoneInfo("UTC"), ""),
        ("2026-01-26T10:00:00-03:30", ZoneInfo("UTC"), "has the offset -03:30, UTC has +00:00"),
        ("0001-01-01T00:00:00Z", JAKARTA, ""),
        ("9999-12-31T23:59:59+07:00", JAKARTA, ""),
        ("9999-12-31T23:59:59-07:00", JAKARTA, "has the offset -07:00, Asia/Jakarta has +07:00"),
    ],
)  # fmt: skip
def test_the_offset_is_that_of_the_zone_at_that_instant(value: str, zone: ZoneInfo, trouble: str) -> None:
    (stamp,) = stamps([value])

    assert zone_trouble(stamp, zone) == (trouble and f"{trouble} at that instant")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["created_at", "ts"]), inner),
)


@given(JSON)
def test_any_body_can_be_read(body: object) -> None:
    for stamp in stamps(body):
        zone_trouble(stamp, JAKARTA)
