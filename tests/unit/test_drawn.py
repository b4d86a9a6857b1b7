"""What a repeat's factors are set to follows from its name, and no two repeats vary alike."""

import json
import operator
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from repro.launch import drawn_values
from samples import Fresh

NAMES = ["repeat", *(f"repeat-{number}" for number in range(2, 100))]
runs = st.from_regex(r"repeat-[0-9]{1,9}", fullmatch=True)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1))


def fields(moment: datetime) -> Sequence[int]:
    day = (moment.year, moment.month, moment.day, moment.weekday(), moment.timetuple().tm_yday)
    return (*day, moment.hour, moment.minute, moment.second)


def test_no_two_repeats_vary_alike() -> None:
    assert len({drawn_values.hash_seed(name) for name in NAMES}) == len(NAMES)
    assert len({drawn_values.shift(name) for name in NAMES}) == len(NAMES)
    assert len({drawn_values.mirror(name) for name in NAMES}) == len(NAMES)
    assert len({drawn_values.time_zone(name) for name in NAMES}) > 30


def test_every_value_follows_from_the_name_alone(fresh: Fresh) -> None:
    source = (
        "import json, sys; from repro.launch.drawn_values import hash_seed, time_zone; "
        "print(json.dumps([hash_seed(sys.argv[1]), time_zone(sys.argv[1])]))"
    )
    found = [fresh(source, "repeat-7", PYTHONHASHSEED=seed).stdout for seed in ("1", "2")]
    mine = [drawn_values.hash_seed("repeat-7"), drawn_values.time_zone("repeat-7")]
    assert [json.loads(text) for text in found] == [mine, mine]


@given(runs, st.integers(0, 0o777))
def test_a_umask_changes_the_rights_of_group_and_others(run: str, before: int) -> None:
    after = drawn_values.umask(run, before)
    assert after & 0o070 != before & 0o070
    assert after & 0o007 != before & 0o007


@given(runs)
def test_a_hash_seed_is_one_that_python_takes_and_never_the_originals(run: str) -> None:
    assert 0 < int(drawn_values.hash_seed(run)) < 2**32


@given(runs, moments)
def test_no_field_of_date_and_time_reads_as_it_was(run: str, moment: datetime) -> None:
    """The clock alone, in UTC; and with the zone, as a wall's clock there would show it."""
    for later in (
        moment + drawn_values.shift(run),
        moment + drawn_values.shift(run) + drawn_values.offset(run),
    ):
        assert not any(map(operator.eq, fields(moment), fields(later))), (moment, later)


def test_no_span_of_days_leaves_any_day_a_field_that_it_had() -> None:
    first, span = date(2000, 1, 1), 146_097  # after 400 years the calendar begins again
    every = [first + timedelta(number) for number in range(span)]
    days = [(d.year, d.month, d.day, d.weekday(), d.timetuple().tm_yday) for d in every]
    spans = {drawn_values.shift(name).days for name in NAMES}
    assert len(spans) > 20
    for shift in (days_ + more for days_ in spans for more in (-1, 0, 1)):
        for number in range(0, span, 11):
            later = every[number] + timedelta(shift)
            after = (later.year, later.month, later.day, later.weekday())
            assert not any(map(operator.eq, days[number][:4], after)), (every[number], shift)


def test_the_zone_is_the_offset_as_python_reads_it(fresh: Fresh) -> None:
    source = "from datetime import datetime; print(datetime.fromtimestamp(0).isoformat())"
    for name in NAMES[:12]:
        local = (datetime.fromtimestamp(0, UTC) + drawn_values.offset(name)).replace(tzinfo=None)
        assert fresh(source, TZ=drawn_values.time_zone(name)).stdout.strip() == local.isoformat()
