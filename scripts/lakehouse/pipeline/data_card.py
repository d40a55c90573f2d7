"""The card that goes with a release: what the data is, how to load it, what it gives away, and what is not allowed."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dbt.contracts.graph.nodes import ModelNode

if TYPE_CHECKING:
    from lakehouse.pipeline.releases import Release

_CARD = """# Balance training data, release {release_id}

Step trainer readings with the accelerometer readings of the same moment, of customers who consented to research,
while their consent was in force. One row per step reading and accelerometer reading of one person at one millisecond.
Made to train models.

| | |
|---|---|
| released | {released_at} (UTC), of data set `{dataset}` |
| people | {people:,} |
| sessions | {sessions:,} |
| rows | {rows:,}, in `machine_learning_curated_v3.parquet`, ordered by person, session and time |

## Load it

```python
import pandas as pd     # needs pyarrow
readings = pd.read_parquet("machine_learning_curated_v3.parquet")

import polars as pl
readings = pl.read_parquet("machine_learning_curated_v3.parquet")

import duckdb
readings = duckdb.sql("select * from 'machine_learning_curated_v3.parquet'")
```

Split into training and test data by `release_pseudonym`, not by row: rows of one person are alike. A moment with
three accelerometer readings has three rows, with the same distance; no column is ever null.

## Columns

| column | type | what it holds |
|---|---|---|
{columns}

## People by age band

| age band | people | rows |
|---|---|---|
{age_bands}

A band that too few people share is `withheld`.

## What it gives away

This is personal data under a pseudonym. It has no calendar time, and its pseudonyms are this release's alone. But
whoever holds raw accelerometer readings of a person (from the phone, or from the tables that this release was made
of) can look for the same accelerations at the same intervals. Of {people:,} people, who knows so many readings in a
row, and the age band, singles out:

| readings known | people, if they are the most telling ones | people, whichever they are |
|---|---|---|
{risks}

In the same way sessions can be matched between two releases: the pseudonyms do not link them, the readings do.

## What is not allowed

- Looking for who a person is, or joining this data with readings, customers or other releases.
- Passing it on, or putting it where others can read it.
- Keeping it when it has been recalled: people withdraw their consent, and a file cannot be called back. Delete it
  when its owner asks, and train on the next release.
"""


def data_card(release: "Release", model: ModelNode) -> str:
    """Writes the card of a release, in Markdown.

    Args:
        release: The record of the release.
        model: The model whose rows are released, as the project describes it.
    """
    figures = release.figures
    columns = (
        (f"`{column.name}`", str(column.data_type), " ".join(column.description.split()))
        for column in model.columns.values()
    )
    return _CARD.format(
        release_id=release.release_id,
        released_at=release.released_at,
        dataset=release.dataset,
        people=figures.people,
        sessions=figures.sessions,
        rows=figures.rows,
        columns=_table(columns),
        age_bands=_table((band.age_band, f"{band.people:,}", f"{band.rows:,}") for band in figures.age_bands),
        risks=_table(
            (f"{risk.known_readings}", f"{risk.singled_out_by_some:,}", f"{risk.singled_out_by_any:,}")
            for risk in figures.risks
        ),
    )


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in rows)
