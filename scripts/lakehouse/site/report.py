"""What the report shows: its figures, each a dbt model's rows, with a sentence that says what is to be seen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import altair as alt

from lakehouse.site import charts, sentences
from lakehouse.site.tables import Row, Table, Value
from lakehouse.site.theme import svg

ROWS_SHOWN = 500
"""How many rows the table under a chart has at most."""


@dataclass(frozen=True)
class Figure:
    """A figure of the report, before it is drawn.

    Attributes:
        model: The name of the dbt model whose rows it shows.
        title: Its heading.
        tells: Gives the sentence that says what the rows show. There is at least one row.
        draw: Gives the chart, or several that stand side by side on a wide screen. There is at least one row.
        headings: The columns of its table, each with what stands above it, with the unit.
        order: What the rows of its table are ordered by; by the columns from the first one on without it.
    """

    model: str
    title: str
    tells: Callable[[Sequence[Row]], str]
    draw: Callable[[Sequence[Row]], alt.TopLevelMixin | Sequence[alt.TopLevelMixin]]
    headings: Mapping[str, str]
    order: Callable[[Row], tuple[object, ...]] | None = None


@dataclass(frozen=True)
class Drawn:
    """A figure as the page has it.

    Attributes:
        name: The model's name, which is the figure's place on the page.
        title: Its heading.
        sentence: What it shows; or, where there is nothing to be drawn, why.
        charts: As SVG; none where there is nothing to be drawn.
        headings: What stands above the columns of the table.
        rows: The rows of the table, each with its values in the order of the headings.
        row_count: How many rows the relation has, which may be more.
        relation: Schema and name, as a query has them; empty where it is not built.
    """

    name: str
    title: str
    sentence: str
    charts: Sequence[str] = ()
    headings: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    row_count: int = 0
    relation: str = ""


def drawn(figure: Figure, table: Table | None) -> Drawn:
    """Draws a figure; one whose relation is not built, is of another shape, or is empty says so instead."""
    if table is None:
        return Drawn(figure.model, figure.title, f"Not built: {figure.model} was not among the models of the last run.")
    if missing := [column for column in figure.headings if column not in table.columns]:
        told = f"Not drawn: {table.relation} has no column {', '.join(missing)}. The next whole run builds it anew."
        return Drawn(figure.model, figure.title, told, relation=table.relation)
    if not table.rows:
        return Drawn(
            figure.model, figure.title, f"Nothing to show: {table.relation} is empty.", relation=table.relation
        )
    rows = sorted(table.rows, key=figure.order) if figure.order else table.rows
    plan = figure.draw(rows)
    return Drawn(
        figure.model,
        figure.title,
        figure.tells(rows),
        [svg(chart) for chart in (plan if isinstance(plan, Sequence) else [plan])],
        list(figure.headings.values()),
        [[_cell(column, row[column]) for column in figure.headings] for row in rows[:ROWS_SHOWN]],
        len(table.rows),
        table.relation,
    )


def _cell(column: str, value: Value) -> Value:
    """A value as the table has it: a year is no number of something."""
    return str(value) if column == "iso_year" and value is not None else value


# ---------------------------------------------------------------------------------------------------------- the figures
SPARKIFY = (
    Figure(
        "plays_by_hour",
        "When people listen",
        sentences.plays_by_hour,
        charts.plays_by_hour,
        {
            "iso_weekday": "Weekday (1 = Monday)",
            "hour": "Hour (UTC)",
            "plays": "Plays",
            "listening_s": "Time listened (s)",
        },
    ),
    Figure(
        "plays_by_level",
        "Who listens: level and gender",
        sentences.plays_by_level,
        charts.plays_by_level,
        {"level": "Level", "gender": "Gender", "plays": "Plays", "listeners": "Listeners"},
    ),
    Figure(
        "top_songs_weekly",
        "Top songs of the week",
        sentences.top_songs,
        charts.top_songs,
        {
            "iso_year": "Year (ISO)",
            "iso_week": "Week",
            "place": "Place",
            "song_title": "Song",
            "artist_name": "Artist",
            "plays": "Plays",
            "listeners": "Listeners",
        },
        charts.week_order,
    ),
    Figure(
        "top_artists",
        "Top artists",
        sentences.top_artists,
        charts.top_artists,
        {
            "place": "Place",
            "artist_name": "Artist",
            "plays": "Plays",
            "listeners": "Listeners",
            "plays_matched": "Plays of songs in the catalogue",
        },
    ),
    Figure(
        "listeners_daily",
        "Daily and returning listeners",
        sentences.listeners_daily,
        charts.listeners_daily,
        {
            "date_day": "Day (UTC)",
            "plays": "Plays",
            "listening_s": "Time listened (s)",
            "sessions": "Sessions",
            "listeners": "Listeners",
            "new_listeners": "For the first time",
            "returning_listeners": "Came back",
        },
    ),
    Figure(
        "levels_daily",
        "From free to paid",
        sentences.levels_daily,
        charts.levels_daily,
        {
            "date_day": "Day (UTC)",
            "upgrades": "Upgrades",
            "downgrades": "Downgrades",
            "paid_users": "Paid users",
            "free_users": "Free users",
        },
    ),
    Figure(
        "session_lengths",
        "Sessions by length",
        sentences.session_lengths,
        charts.session_lengths,
        {
            "plays_from": "Plays, from",
            "plays_to": "to",
            "sessions": "Sessions",
            "converted_sessions": "With an upgrade",
        },
    ),
)
STEDI = (
    Figure(
        "consent_funnel",
        "From landing to the study, and why not",
        sentences.consent_funnel,
        charts.consent_funnel,
        {
            "population": "Of",
            "layer_position": "Step",
            "layer": "Layer",
            "outcome": "Kept, or why not",
            "records": "Records",
            "came_in": "Came in",
        },
        charts.funnel_order,
    ),
    Figure(
        "consent_hourly",
        "Consent over time",
        sentences.consent_hourly,
        charts.consent_hourly,
        {"consent_hour": "Hour (UTC)", "consents_given": "Given", "consents_ended": "Ended", "in_force": "In force"},
    ),
    Figure(
        "readings_per_customer",
        "Readings of a customer",
        sentences.readings_per_customer,
        charts.readings_per_customer,
        {"readings_from": "Readings, from", "readings_to": "to", "customers": "Customers"},
    ),
    Figure(
        "sample_trace",
        "One session, as a model sees it",
        sentences.sample_trace,
        charts.sample_trace,
        {
            "session_time_ms": "Time in the session (ms)",
            "distance_from_object": "Distance (as the device scales it)",
            "x": "Acceleration, x",
            "y": "Acceleration, y",
            "z": "Acceleration, z",
        },
    ),
    Figure(
        "published_anonymity",
        "How many share an age band",
        sentences.published_anonymity,
        charts.published_anonymity,
        {"version": "Version", "age_band": "Age band", "customers": "Customers", "readings": "Readings"},
    ),
    Figure(
        "reidentification_risk",
        "Who can be found again",
        sentences.reidentification_risk,
        charts.reidentification_risk,
        {
            "version": "Version",
            "known_readings": "Readings known",
            "people": "People",
            "singled_out_by_some": "Singled out by the most telling ones",
            "singled_out_by_any": "By whichever ones",
        },
    ),
)
SECTIONS = (
    ("Sparkify", "A music service, and what its users play.", "sparkify_figures", SPARKIFY),
    ("STEDI", "A balance trainer, and the sensor data of customers who consent.", "stedi_figures", STEDI),
)
"""The parts of the report: title, what it is about, the model of its key figures, and its figures."""
FIGURES = (*SPARKIFY, *STEDI)
KEY_FIGURES = ("sparkify_figures", "stedi_figures")
KEY_FIGURE_COLUMNS = ("place", "figure", "figure_value")
FIGURE_NAMES: dict[str, tuple[str, str]] = {
    "plays": ("Plays", "{:,.0f}"),
    "listeners": ("Listeners", "{:,.0f}"),
    "daily_listeners": ("Listeners a day", "{:,.1f}"),
    "plays_per_session": ("Plays in a session", "{:,.1f}"),
    "listening_hours": ("Hours listened", "{:,.0f}"),
    "match_rate": ("Plays of songs in the catalogue", "{:.1%}"),
    "paid_share": ("Users who pay", "{:.1%}"),
    "conversion": ("Sessions of free users with an upgrade", "{:.1%}"),
    "consent_rate": ("Customers who consent", "{:.1%}"),
    "coverage": ("Accelerometer readings in the study", "{:.1%}"),
}
"""What the metrics are called here, and how their values are written."""


def key_figures(table: Table | None) -> list[tuple[str, str]]:
    """The key figures with their values, as a person reads them; none where they are not built."""
    if table is None or not {*KEY_FIGURE_COLUMNS} <= {*table.columns}:
        return []
    told = []
    for row in table.rows:
        name, written = FIGURE_NAMES.get(str(row["figure"]), (str(row["figure"]).replace("_", " "), "{:,.4g}"))
        value = row["figure_value"]
        told.append((name, written.format(value) if isinstance(value, int | float) else "-"))
    return told
