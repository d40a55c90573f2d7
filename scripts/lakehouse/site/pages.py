"""Writes the pages from templates, each of which takes the old page's place in one step."""

import shutil
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from lakehouse.landing.contents import code_of, digest
from lakehouse.pipeline.run_report import RunReport
from lakehouse.site.lineage import read_lineage
from lakehouse.site.lineage_graph import BOX, domains_of, highlights
from lakehouse.site.report import FIGURES, KEY_FIGURE_COLUMNS, KEY_FIGURES, SECTIONS, drawn, key_figures
from lakehouse.site.runs import History, is_published
from lakehouse.site.tables import Table

FOLDER = "target/site"
DOCS = "static_index.html"
_REPORT, _LINEAGE = "report.html", "lineage.html"
_STYLE = "site.css"
_MADE_OF = "target/docs_made_of.txt"
_CODE = code_of(Path(__file__).parent, "*.py", "*.html", "*.css")
"""Of all that draws, templates included."""
_LOADER = PackageLoader("lakehouse.site")
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).disable(["image", "heading", "lheading"])

WANTED: dict[str, Collection[str]] = {
    **dict.fromkeys(KEY_FIGURES, KEY_FIGURE_COLUMNS),
    **{figure.model: figure.headings for figure in FIGURES},
}
"""What the report reads: columns by model."""


def write_report(project_dir: Path, run: RunReport | None, tables: Mapping[str, Table], rows_of: str = "") -> Path:
    """Draws the report.

    Args:
        project_dir: The project, in whose target/site/ the page stands.
        run: The run that built what is drawn, as far as it has come; None if none is on record.
        tables: The rows of the models that are built, by the models' names.
        rows_of: What they come from, see `is_report_of`; nothing where that is not known.

    Returns:
        The page.
    """
    sections = [
        (title, about, key_figures(tables.get(key)), [drawn(figure, tables.get(figure.model)) for figure in figures])
        for title, about, key, figures in SECTIONS
    ]
    return _write(project_dir, _REPORT, run=run, sections=sections, drawn_of=_drawn_of(rows_of) if rows_of else "")


def is_report_of(project_dir: Path, rows_of: str) -> bool:
    """Whether the report is there, and was drawn by this very code of rows that come from the same."""
    page = project_dir / FOLDER / _REPORT
    return page.exists() and f'"{_drawn_of(rows_of)}"' in page.read_text(encoding="utf-8").partition("</head>")[0]


def _drawn_of(rows_of: str) -> str:
    """What the page says of itself, which names neither a place nor a data set."""
    return digest([rows_of, _CODE])


def take_down_report(project_dir: Path) -> None:
    """Puts a page that says how to draw it in the place of the report, if there is one."""
    if (project_dir / FOLDER / _REPORT).exists():
        _write(project_dir, _REPORT, run=None, sections=[], drawn_of="")


def write_start_page(project_dir: Path, history: History) -> Path:
    """Writes the start page and the run history, from the logs of the runs alone: so they can tell of a failed one.

    Returns:
        The start page.
    """
    _write(project_dir, "runs.html", history=history)
    changes = history.changes()
    return _write(
        project_dir,
        "index.html",
        history=history,
        changes=changes,
        changed=[change for change in changes if history.rows_before and change.before != change.after],
        has_report=(project_dir / FOLDER / _REPORT).exists(),
        has_lineage=(project_dir / FOLDER / _LINEAGE).exists(),
        has_docs=(project_dir / FOLDER / DOCS).exists(),
    )


def write_lineage(project_dir: Path, manifest: Path) -> Path:
    """Draws the lineage of a project that dbt compiled.

    Args:
        project_dir: The project, in whose target/site/ the page stands.
        manifest: dbt's manifest of it, with the compiled SQL.

    Returns:
        The page.
    """
    domains = domains_of(read_lineage(msgspec.json.decode(manifest.read_bytes())))
    _replace(_folder(project_dir) / "lineage.css", highlights(domains))
    titles = {title.lower(): title for title, *_rest in SECTIONS}
    inner_layers = ("landing", "seeds", "staging", "intermediate")
    return _write(project_dir, _LINEAGE, domains=domains, titles=titles, box_height=BOX, inner_layers=inner_layers)


def publish_docs(project_dir: Path, docs: Path) -> None:
    """Puts the docs that dbt made beside the other pages."""
    folder = _folder(project_dir)
    shutil.copyfile(docs, folder / f"{DOCS}.new")
    (folder / f"{DOCS}.new").replace(folder / DOCS)


def are_docs_of(project_dir: Path, made_of: str) -> bool:
    """Whether docs and lineage are there, and were drawn of the same code and settings."""
    noted = project_dir / _MADE_OF
    needed = (noted, project_dir / FOLDER / DOCS, project_dir / FOLDER / _LINEAGE)
    return all(file.exists() for file in needed) and noted.read_text(encoding="utf-8") == made_of


def note_docs(project_dir: Path, made_of: str) -> None:
    """Notes of what code and settings docs and lineage were drawn, when both are there."""
    _replace(project_dir / _MADE_OF, made_of)


def _write(project_dir: Path, page: str, **content: object) -> Path:
    folder = _folder(project_dir)
    environment = Environment(
        loader=_LOADER, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "number": _number,
        "when": _when,
        "duration": _duration,
        "engine": _engine,
        "markdown": _markdown,
    }
    environment.globals |= {"page": page, "docs": DOCS, "is_published": is_published, "svg": Markup}
    environment.globals["written_at"] = _when(datetime.now(UTC).isoformat())
    _replace(folder / _STYLE, (Path(__file__).parent / "templates" / _STYLE).read_text())
    return _replace(folder / page, environment.get_template(page).render(**content))


def _folder(project_dir: Path) -> Path:
    folder = project_dir / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _replace(path: Path, text: str) -> Path:
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    return new.replace(path)


def _number(value: object) -> str:
    """A value as a person reads it: 1,234.5; a dash for what is not there."""
    match value:
        case None:
            return "-"
        case bool() | str():
            return str(value)
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.1f}"
    return str(value)


def _when(moment: str) -> str:
    """A time in UTC, to the minute."""
    return f"{datetime.fromisoformat(moment.replace('Z', '+00:00')).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _duration(seconds: float) -> str:
    """How long something took: 27.8 s, 3 min 20 s."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,} min {rest} s" if minutes else f"{seconds:.1f} s"


def _markdown(text: str) -> Markup:
    """A description as HTML: dbt's own links lead to its docs; no pictures, no headings, and tags are text."""
    return Markup(_MARKDOWN.render(text.replace("](#!/", f"]({DOCS}#!/")))  # noqa: S704 - it escapes all that is not its own


def _engine(target: str) -> str:
    """An engine's name, as its makers write it."""
    return {"duckdb": "DuckDB"}.get(target, target.capitalize())
