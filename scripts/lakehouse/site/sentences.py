"""The sentence above each chart of the report: what is to be seen, with the numbers. There is at least one row."""

from calendar import day_name
from collections.abc import Sequence

from lakehouse.site import charts
from lakehouse.site.tables import Row


def plays_by_hour(rows: Sequence[Row]) -> str:
    """Of the hours of the week."""
    most = max(rows, key=lambda row: _number(row["plays"]))
    day = day_name[int(_number(most["iso_weekday"])) - 1]
    return (
        f"The stronger the colour, the more plays began in that hour. Most did on {day} "
        f"from {most['hour']}:00 on: {_said(most['plays'])}."
    )


def plays_by_level(rows: Sequence[Row]) -> str:
    """Of levels and genders."""
    paid = sum(_number(row["plays"]) for row in rows if row["level"] == "paid")
    return f"{_share(paid, _total(rows, 'plays'))} of all plays are of users who paid when they played."


def top_songs(rows: Sequence[Row]) -> str:
    """Of the last week."""
    first = charts.last_week(rows)[0]
    return (
        f"In week {first['iso_week']} of {first['iso_year']}, the last one, “{first['song_title']}” by "
        f"{first['artist_name']} came first: plays {_said(first['plays'])}, listeners {_said(first['listeners'])}. "
        "The table has the ten first of every week."
    )


def top_artists(rows: Sequence[Row]) -> str:
    """Of the artists, and how many of their songs are known."""
    matched = _share(_total(rows, "plays_matched"), _total(rows, "plays"))
    return (
        f"The catalogue knows the song of {matched} of these plays; all are counted by the artist that the log names."
    )


def listeners_daily(rows: Sequence[Row]) -> str:
    """Of the days."""
    most = max(rows, key=lambda row: _number(row["listeners"]))
    return (
        f"On a day {_total(rows, 'listeners') / len(rows):,.1f} people listen, on average. "
        f"On {most['date_day']} the most did: {_said(most['listeners'])}."
    )


def levels_daily(rows: Sequence[Row]) -> str:
    """Of the changes, and how it is at last."""
    return (
        f"{_said(_total(rows, 'upgrades'))} upgrades to paid and {_said(_total(rows, 'downgrades'))} downgrades in "
        f"{len(rows):,} days. On the last, {_said(rows[-1]['paid_users'])} users paid and "
        f"{_said(rows[-1]['free_users'])} did not."
    )


def session_lengths(rows: Sequence[Row]) -> str:
    """Of the sessions that ended in an upgrade."""
    sessions, converted = _total(rows, "sessions"), _total(rows, "converted_sessions")
    return f"In {_said(converted)} of {_said(sessions)} sessions ({_share(converted, sessions)}) a free user upgraded."


def consent_funnel(rows: Sequence[Row]) -> str:
    """Of the customers, who come first."""
    ordered = sorted(rows, key=charts.funnel_order)
    population = ordered[0]["population"]
    mine = [row for row in ordered if row["population"] == population]
    last = mine[-1]
    kept = last["records"] if last["outcome"] == "kept" else 0
    return (
        f"Of {_said(mine[0]['came_in'])} {population}, {_said(kept)} reach the layer “{last['layer']}”. Each bar says "
        "what a layer dropped, and why, or kept; what it kept is what the next one gets."
    )


def consent_hourly(rows: Sequence[Row]) -> str:
    """Of the last change."""
    last = rows[-1]
    return (
        f"A consent was given or ended last on {str(last['consent_hour'])[:10]}: {_said(last['in_force'])} were in "
        f"force then, and {_said(_total(rows, 'consents_ended'))} had ended."
    )


def readings_per_customer(rows: Sequence[Row]) -> str:
    """Of the band that most customers are in."""
    most = max(rows, key=lambda row: _number(row["customers"]))
    return (
        f"{_said(_total(rows, 'customers'))} customers have readings. Most often a customer has "
        f"{charts.band(most['readings_from'], most['readings_to'])}: {_said(most['customers'])} customers do."
    )


def sample_trace(rows: Sequence[Row]) -> str:
    """Of the one session."""
    seconds = max(_number(row["session_time_ms"]) for row in rows) / 1000
    return (
        f"One session of {seconds:,.0f} seconds, with {len(rows):,} readings: the step trainer's distance above, "
        "the phone's acceleration along its three axes below, each as the device scales it."
    )


def published_anonymity(rows: Sequence[Row]) -> str:
    """Of the smallest band."""
    fewest = min(_number(row["customers"]) for row in rows)
    return f"Nobody is in an age band that fewer than {fewest:,} customers share. That is the k of k-anonymity, by age."


def reidentification_risk(rows: Sequence[Row]) -> str:
    """Of whoever knows the most."""
    most = max(rows, key=lambda row: (_number(row["version"]), _number(row["known_readings"])))
    share = _share(_number(most["singled_out_by_some"]), _number(most["people"]))
    return (
        f"Whoever knows {_said(most['known_readings'])} readings of a person in a row, the most telling ones, "
        f"singles out {share} of the people in version {most['version']}. So it stays personal data."
    )


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else 0


def _total(rows: Sequence[Row], column: str) -> float:
    return sum(_number(row[column]) for row in rows)


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}".replace(".0%", "%") if whole else "none"


def _said(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else "an unknown number"
