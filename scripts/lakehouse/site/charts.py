"""The report's charts, one function each: takes a model's rows, gives a chart. None of them works anything out."""

import json
from collections.abc import Sequence

import altair as alt

from lakehouse.site.tables import Row
from lakehouse.site.theme import BLUE, FAINT, GREEN, PURPLE, VERMILION, WIDTH

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_BAR = 18  # height of a bar that lies, with the space to the next one


def plays_by_hour(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """A field for each hour of the week."""
    named = [{**row, "weekday": _weekday(row["iso_weekday"])} for row in rows]
    hours = alt.X("hour:O", title="hour of the day (UTC)", scale=alt.Scale(domain=list(range(24))))
    return _fitted(
        alt.Chart(_data(named))
        .mark_rect(color=BLUE)
        .encode(
            x=hours.axis(labelAngle=0, labelExpr="datum.value % 3 == 0 ? datum.label : ''"),
            y=alt.Y("weekday:O", title=None, scale=alt.Scale(domain=list(WEEKDAYS))),
            opacity=alt.Opacity("plays:Q", scale=alt.Scale(range=[0.06, 1]), legend=None),
        ),
        height=210,
    )


def plays_by_level(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """A bar for each level, in parts by gender."""
    genders = {"F": "women", "M": "men"}
    named = [{**row, "who": genders.get(str(row["gender"]), "not known")} for row in rows]
    return _fitted(
        alt.Chart(_data(named))
        .mark_bar()
        .encode(
            x=alt.X("plays:Q", title="plays").axis(tickMinStep=1, tickCount=5),
            y=alt.Y("level:N", title=None),
            color=_colours("who", {"women": BLUE, "men": VERMILION, "not known": FAINT}),
        ),
        height=170,
    )


def top_songs(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """A bar for each song of the last week."""
    last = last_week(rows)
    named = [{**row, "song": f"{row['song_title']}, {row['artist_name']}"} for row in last]
    return _ranking(named, "song", {"plays": BLUE})


def last_week(rows: Sequence[Row]) -> list[Row]:
    """The rows of the last week that there is, the first place first."""
    ordered = sorted(rows, key=week_order)
    return [row for row in ordered if week_order(row)[:2] == week_order(ordered[0])[:2]]


def week_order(row: Row) -> tuple[float, ...]:
    """The last week first, and in a week the first place."""
    return -_number(row["iso_year"]), -_number(row["iso_week"]), _number(row["place"])


def top_artists(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """A bar for each artist, in parts by whether the catalogue knows the song."""
    named = [
        {
            "artist_name": row["artist_name"],
            "in the catalogue": _number(row["plays_matched"]),
            "not in it": _number(row["plays"]) - _number(row["plays_matched"]),
        }
        for row in sorted(rows, key=lambda row: _number(row["place"]))
    ]
    return _ranking(named, "artist_name", {"in the catalogue": VERMILION, "not in it": BLUE})


def listeners_daily(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """A bar for each day, in parts by whether a listener was there before."""
    parts = {"returning_listeners": "came back", "new_listeners": "for the first time"}
    return _fitted(
        alt.Chart(_data(rows))
        .transform_fold(list(parts), as_=["part", "people"])
        .transform_calculate(who=f"datum.part == 'new_listeners' ? '{parts['new_listeners']}' : 'came back'")
        .mark_bar()
        .encode(
            x=_days(),
            y=alt.Y("people:Q", title="listeners a day").axis(tickMinStep=1),
            color=_colours("who", {"came back": BLUE, "for the first time": VERMILION}),
        ),
        height=220,
    )


def levels_daily(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """A line for those who pay, and one for those who do not."""
    return _fitted(
        alt.Chart(_data(rows))
        .transform_fold(["paid_users", "free_users"], as_=["part", "people"])
        .transform_calculate(level="datum.part == 'paid_users' ? 'paid' : 'free'")
        .mark_line(interpolate="step-after", point=alt.OverlayMarkDef(size=12))
        .encode(
            x=_days(),
            y=alt.Y("people:Q", title="users at the day's end").axis(tickMinStep=1),
            color=_colours("level", {"paid": BLUE, "free": VERMILION}),
        ),
        height=220,
    )


def session_lengths(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """A bar for each band of lengths, in parts by whether the session ended in an upgrade."""
    named: list[Row] = [
        {
            "length": band(row["plays_from"], row["plays_to"]),
            "upgraded": _number(row["converted_sessions"]),
            "stayed as they were": _number(row["sessions"]) - _number(row["converted_sessions"]),
        }
        for row in rows
    ]
    parts = {"stayed as they were": BLUE, "upgraded": VERMILION}
    return _standing(named, "length", parts, x="plays in the session", y="sessions")


def consent_funnel(rows: Sequence[Row]) -> list[alt.TopLevelMixin]:
    """A chart for each population: what came in, and layer by layer what was dropped, why, and what was kept."""
    populations = dict.fromkeys(str(row["population"]) for row in sorted(rows, key=funnel_order))
    return [_funnel_of(population, rows) for population in populations]


def funnel_order(row: Row) -> tuple[object, ...]:
    """Populations by name; of a layer first what was dropped, the most first, and last what was kept."""
    population = {"customers": 0, "accelerometer readings": 1, "step readings": 2}.get(str(row["population"]), 3)
    is_kept = row["outcome"] == "kept"
    return (population, _number(row["layer_position"]), is_kept, -_number(row["records"]), str(row["outcome"]))


def consent_hourly(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """What is in force, from one change to the next."""
    named = [{**row, "moment": f"{row['consent_hour']}Z".replace(" ", "T")} for row in rows]
    are_of_a_few_days = len({str(row["consent_hour"])[:10] for row in rows}) < 4
    hours = alt.X("moment:T", title="UTC", timeUnit="utcyearmonthdatehours", scale=alt.Scale(type="utc"))
    return _fitted(
        alt.Chart(_data(named))
        .mark_area(interpolate="step-after", color=BLUE, opacity=0.35, line={"color": BLUE}, point={"color": BLUE})
        .encode(
            x=hours.axis(format="%d %b %H:00" if are_of_a_few_days else "%d %b %y", tickCount=4, labelFlush=True),
            y=alt.Y("in_force:Q", title="consents in force").axis(tickMinStep=1),
        ),
        height=220,
    )


def readings_per_customer(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """A bar for each band of numbers of readings."""
    named: list[Row] = [
        {"readings": band(row["readings_from"], row["readings_to"]), "customers": row["customers"]} for row in rows
    ]
    return _standing(named, "readings", {"customers": BLUE}, x="readings of a customer", y="customers")


def sample_trace(rows: Sequence[Row]) -> alt.VConcatChart:
    """Four charts above one another with one time: the distance, and the acceleration along each axis."""
    named = [{**row, "seconds": _number(row["session_time_ms"]) / 1000} for row in rows]
    strips = {
        "distance_from_object": ("distance", 90, BLUE),
        "x": ("acceler. x", 45, VERMILION),
        "y": ("acceler. y", 45, GREEN),
        "z": ("acceler. z", 45, PURPLE),
    }
    lines = []
    for column, (title, height, colour) in strips.items():
        seconds = alt.X("seconds:Q", title="seconds since the session began" if column == "z" else None)
        value = alt.Y(f"{column}:Q", title=title, scale=alt.Scale(zero=False)).axis(tickCount=3)
        line = alt.Chart(_data(named)).mark_line(color=colour, strokeWidth=1.5)
        lines.append(
            line.encode(x=seconds.axis(labels=column == "z"), y=value).properties(width=WIDTH - 65, height=height)
        )
    return alt.vconcat(*lines, spacing=8)


def published_anonymity(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """For each age band two bars, one a version of the training data."""
    named = [{**row, "data": f"version {row['version']}"} for row in rows]
    return _fitted(
        alt.Chart(_data(named))
        .mark_bar()
        .encode(
            x=alt.X("customers:Q", title="customers who share the age band").axis(tickMinStep=1, tickCount=5),
            y=alt.Y("age_band:N", title=None),
            yOffset="data:N",
            color=_colours("data", {"version 2": BLUE, "version 3": VERMILION}),
        ),
        height=60 + 34 * len({row["age_band"] for row in rows}),
    )


def reidentification_risk(rows: Sequence[Row]) -> alt.TopLevelMixin:
    """A line for each version: the share of people whom a number of known readings singles out at their best."""
    named = [
        {
            "data": f"version {row['version']}",
            "known_readings": row["known_readings"],
            "share": _number(row["singled_out_by_some"]) / _number(row["people"]) if row["people"] else None,
        }
        for row in rows
    ]
    return _fitted(
        alt.Chart(_data(named))
        .mark_line(point=True)
        .encode(
            x=alt.X("known_readings:O", title="readings that somebody knows of a person").axis(labelAngle=0),
            y=alt.Y("share:Q", title="people singled out", scale=alt.Scale(domain=[0, 1])).axis(format="%"),
            color=_colours("data", {"version 2": BLUE, "version 3": VERMILION}),
            strokeDash=alt.StrokeDash("data:N", scale=alt.Scale(range=[[1, 0], [4, 4]]), legend=None),
        ),
        height=220,
    )


def band(first: object, last: object) -> str:
    """A band of numbers in words: 0, 2-5, 51+."""
    if last is None:
        return f"{_number(first):,}+"
    return f"{_number(first):,}" if first == last else f"{_number(first):,}-{_number(last):,}"


# ------------------------------------------------------------------------------------------------------------- pieces
def _data(rows: Sequence[Row]) -> alt.InlineData:
    return alt.InlineData(values=list(rows))


def _number(value: object) -> float:
    """A number to calculate with or to sort by; what is not there counts nothing."""
    return value if isinstance(value, int | float) else 0


def _weekday(value: object) -> str:
    return WEEKDAYS[int(_number(value)) - 1]


def _fitted(chart: alt.Chart, height: int) -> alt.Chart:
    return chart.properties(width=WIDTH, height=height, autosize=alt.AutoSizeParams(type="fit", contains="padding"))


def _colours(field: str, colours: dict[str, str]) -> alt.Color:
    color = alt.Color(f"{field}:N", scale=alt.Scale(domain=list(colours), range=list(colours.values())))
    return color if len(colours) > 1 else color.legend(None)


def _days() -> alt.X:
    return alt.X("date_day:T", title=None, timeUnit="utcyearmonthdate", scale=alt.Scale(type="utc")).axis(
        format="%d %b %y", tickCount=4, grid=False, labelFlush=True
    )


def _ranking(rows: Sequence[Row], name: str, parts: dict[str, str]) -> alt.Chart:
    """Bars that lie, in the order of the rows, with parts one after the other; two rows may bear one name."""
    placed = [{**row, "row": number} for number, row in enumerate(rows)]
    names = [str(row[name]) for row in rows]
    chart = alt.Chart(_data(placed)).transform_fold(list(parts), as_=["part", "amount"]).mark_bar()
    return _fitted(
        chart.encode(
            x=alt.X("amount:Q", title="plays").axis(tickMinStep=1, tickCount=5),
            y=alt.Y("row:O", title=None).axis(labelExpr=f"{json.dumps(names)}[datum.value]"),
            color=_colours("part", parts),
            order=alt.Order("part:N", sort="descending"),
        ),
        height=60 + _BAR * len(rows),
    )


def _standing(rows: Sequence[Row], name: str, parts: dict[str, str], *, x: str, y: str) -> alt.Chart:
    """Bars that stand, in the order of the rows."""
    chart = alt.Chart(_data(rows)).transform_fold(list(parts), as_=["part", "amount"]).mark_bar()
    return _fitted(
        chart.encode(
            x=alt.X(f"{name}:O", title=x, sort=None).axis(labelOverlap=True, labelAngle=0),
            y=alt.Y("amount:Q", title=y).axis(tickMinStep=1, tickCount=5),
            color=_colours("part", parts),
        ),
        height=220,
    )


def _funnel_of(population: str, rows: Sequence[Row]) -> alt.TopLevelMixin:
    mine = sorted((row for row in rows if str(row["population"]) == population), key=funnel_order)
    bars = [{"step": f"all {population}", "records": mine[0]["came_in"], "kind": "kept"}]
    for row in mine:
        kind = "kept" if row["outcome"] == "kept" else "dropped"
        bars.append({"step": f"{row['layer']}: {row['outcome']}", "records": row["records"], "kind": kind})
    base = alt.Chart(_data(bars)).encode(
        x=alt.X("records:Q", title=None).axis(None).scale(domainMin=0),
        y=alt.Y("step:N", title=None, sort=None).axis(domain=False, ticks=False),
    )
    colours = _colours("kind", {"kept": BLUE, "dropped": VERMILION}).legend(None)
    numbers = base.mark_text(align="left", dx=3).encode(text=alt.Text("records:Q", format=","))
    return alt.layer(base.mark_bar().encode(color=colours), numbers).properties(
        width=WIDTH - 200, height=_BAR * len(bars), title=alt.TitleParams(population, anchor="start", fontSize=12)
    )
