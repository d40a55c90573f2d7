"""The site of the sample: what its pages may not hold, whether its numbers are the database's, and a real browser."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Locator, Request, Response, expect
from playwright.sync_api import Page as Tab

from browser import CHROMIUM, DESKTOP, HEIGHT, NONE, PHONE, chromium, served
from dbt_project import DbtProject, locked
from personal_data import KINDS, relations_of
from screenshots import MODES
from site_pages import PAGES, Page, draw_site
from test_personal_data import manifest_of

BuiltProject = Callable[[str], DbtProject]

in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason=NONE)
SHOWN = {
    *("level", "gender", "recency"),
    *("age_band", "published_age_band"),
    *("outcome", "trusted_outcome", "curated_outcome"),
}
"""Of what narrows a person down, the words of few that the report counts by: `paid` says nothing of anybody alone."""
NOT_LOOKED_FOR = {"NULL", "INTEGER", "BIGINT", "DOUBLE", "BOOLEAN"}
DARK = "rgb(13, 17, 23)"
"""The paper's colour in dark mode, as the style sheet has it."""
ALL_PAGES = (*PAGES, "static_index.html")


@pytest.fixture(scope="session")
def project(built_project: BuiltProject) -> DbtProject:
    return built_project("sample")


@pytest.fixture(scope="session")
def site(project: DbtProject, shared_folder: Path) -> Path:
    """The folder of the pages, drawn once for all workers."""
    folder = shared_folder / "site"
    with locked(shared_folder / "site.lock"):
        if not folder.exists():
            shutil.rmtree(shared_folder / "unfinished_site", ignore_errors=True)
            draw_site(project, shared_folder / "unfinished_site").parents[1].rename(folder)
    return folder / "target/site"


# ---------------------------------------------------------------------------------------------------- what is on a page
@pytest.mark.quick
def test_no_personal_value_is_on_a_page(site: Path, project: DbtProject) -> None:
    """Of 4 characters and more as a whole text, of 8 and more also inside of one: in dbt's docs, too.

    A customer may bear the name of an artist: where the catalogue or the log has it, it is the artist's. The lineage
    and dbt's docs show our own files: examples of queries, and unit tests in which somebody made up is born on a day.
    """
    known = personal_values(project)
    assert len(known) > 2_000
    played = project.query("select lower(concat_ws(' ', artist_name, song_title)) from sparkify.songplays")
    names = [str(text) for (text,) in played]
    ours = [file.read_text().lower() for file in (project.folder / "models").rglob("*.*")]
    for name in ALL_PAGES:
        found = found_in(site / name, known)
        not_theirs = [*names, *ours] if name in ("lineage.html", "static_index.html") else names
        assert {value for value in found if not any(value in text for text in not_theirs)} == set(), name


@pytest.mark.quick
def test_a_personal_value_would_be_found(site: Path, project: DbtProject, tmp_path: Path) -> None:
    known = personal_values(project)
    short, long = (
        next(value for value in sorted(known) if low <= len(value) <= high) for low, high in ((4, 7), (8, 99))
    )
    page = (site / "report.html").read_text()
    (tmp_path / "page.html").write_text(
        page.replace("</main>", f"<td>{short.title()}</td><td>x{long.upper()}y</td></main>")
    )
    assert found_in(tmp_path / "page.html", known) >= {short, long}


def personal_values(project: DbtProject) -> set[str]:
    """The texts and times of every column, of every relation, that is tagged as personal, in small letters."""
    known: set[str] = set()
    for relation in relations_of(manifest_of(project)):
        name = ".".join(relation.table[1:])
        tagged = {column for column, told in relation.columns.items() if told.personal in KINDS and not told.treatment}
        for column, kind, *_rest in project.query(f"describe {name}") if tagged - SHOWN else ():
            if str(column).lower() in tagged - SHOWN and kind not in NOT_LOOKED_FOR:
                query = f'select distinct lower(cast("{column}" as varchar)) from {name} where "{column}" is not null'  # noqa: S608
                known |= {str(value) for (value,) in project.query(query)}
    return {value for value in known if len(value) >= 4}


def found_in(page: Path, known: set[str]) -> set[str]:
    texts = [page.read_text().lower()] if page.name == "static_index.html" else [t.lower() for t in Page(page).texts]
    found = known.intersection(texts)
    by_beginning: dict[str, list[str]] = {}
    for value in known:
        if len(value) >= 8:
            by_beginning.setdefault(value[:8], []).append(value)
    for text in texts:
        for place in range(len(text) - 7):
            if (beginning := text[place : place + 8]) in by_beginning:
                found |= {value for value in by_beginning[beginning] if text.startswith(value, place)}
    return found


@pytest.mark.quick
def test_numbers_are_the_databases(site: Path, project: DbtProject) -> None:
    ((plays, listeners),) = project.query("select count(*), count(distinct user_id) from sparkify.songplays")
    ((customers, consenting),) = project.query(
        "select max(came_in), max(records) filter (where outcome = 'kept') from report.consent_funnel"
        " where population = 'customers' and layer = 'trusted'"
    )
    assert consenting == project.query("select count(*) from stedi.customer_trusted")[0][0]
    words = Page(site / "report.html").words
    assert f"Plays {plays:,} Listeners {listeners:,}" in words
    assert f"customers 1 trusted kept {consenting:,} {customers:,}" in words
    for artist, heard in project.query("select artist_name, plays from report.top_artists where place <= 3"):
        assert f"{' '.join(str(artist).split())} {heard:,} " in words


# ------------------------------------------------------------------------------------------------------ a real browser
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with served(site) as where:
        yield where


class Seen:
    """A tab, and what went wrong in it."""

    def __init__(self, tab: Tab, address: str) -> None:
        self._address, self.outside, self.wrong = address, list[str](), list[str]()
        tab.on("request", self._ask)
        tab.on("response", self._answer)
        tab.on("requestfailed", lambda request: self.wrong.append(request.url))
        tab.on("pageerror", lambda error: self.wrong.append(str(error)))
        tab.on("console", self._tell)

    def _ask(self, request: Request) -> None:
        if not request.url.startswith((self._address, "data:")):
            self.outside.append(request.url)

    def _answer(self, response: Response) -> None:
        if response.status >= 400:
            self.wrong.append(response.url)

    def _tell(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(message.text)


@in_a_browser
@pytest.mark.parametrize(("width", "mode"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_every_page_opens_fits_and_keeps_nobody_out(
    browser: Browser, address: str, width: int, mode: Literal["light", "dark"]
) -> None:
    """Without an error or a request to elsewhere, not wider than the screen even with all unfolded; and axe agrees."""
    tab = browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme=mode)
    seen = Seen(tab, address)
    for name in PAGES:
        tab.goto(address + name)
        assert (tab.evaluate("getComputedStyle(document.body).backgroundColor") == DARK) == (mode == "dark"), name
        tab.evaluate("document.querySelectorAll('details').forEach((details, i) => details.open = i == 1)")
        serious = [
            fault for fault in Axe().run(tab).response["violations"] if fault["impact"] in ("serious", "critical")
        ]
        assert [(fault["id"], fault["nodes"][0]["html"]) for fault in serious] == [], name
        tab.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
        assert tab.evaluate("document.documentElement.scrollWidth") == width, name
        assert cut_off(tab) == [], name
    assert (seen.outside, seen.wrong) == ([], [])
    tab.close()


def cut_off(tab: Tab) -> list[str]:
    """What stands outside of the screen, but in a box that scrolls."""
    outside = """() => [...document.querySelectorAll('main *, nav *')]
        .filter(e => !e.closest('.wide') && !e.closest('svg *') && e.getClientRects().length)
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < -1)
        .map(e => e.outerHTML.slice(0, 80))"""
    return list(tab.evaluate(outside))


@in_a_browser
def test_charts_change_their_colours_with_the_mode(browser: Browser, address: str) -> None:
    colours = []
    for mode in MODES:
        tab = browser.new_page(color_scheme=mode)
        tab.goto(address + "report.html")
        bar = tab.locator("#plays_by_level .role-mark path").first
        colours.append(bar.evaluate("bar => getComputedStyle(bar).fill"))
        tab.close()
    assert colours == ["rgb(0, 114, 178)", "rgb(86, 180, 233)"]


@in_a_browser
def test_the_keyboard_is_enough(browser: Browser, address: str) -> None:
    tab = browser.new_page(viewport={"width": PHONE, "height": HEIGHT})
    tab.goto(address + "report.html")
    tab.keyboard.press("Tab")
    assert has_outline(tab.locator("a.skip:focus"))
    assert tab.locator("a.skip").evaluate("link => link.getBoundingClientRect().left") >= 0  # it can be seen
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    assert has_outline(tab.locator("#plays_by_hour summary:focus"))
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    table = tab.locator("#plays_by_hour .wide:focus")
    assert has_outline(table)
    tab.keyboard.press("PageDown")
    expect(table).not_to_have_js_property("scrollTop", 0)
    tab.close()


@in_a_browser
def test_the_lineage_of_a_box_lights_up(browser: Browser, address: str) -> None:
    """Pointed at, or reached with the Tab key: what it is made of in one colour, what is made of it in another."""
    tab = browser.new_page(viewport={"width": DESKTOP, "height": HEIGHT})
    tab.goto(address + "lineage.html")
    tab.locator("a.box[aria-label=songplays]").focus()
    tab.keyboard.press("Shift+Tab")
    tab.keyboard.press("Tab")
    assert tab.locator("a.box:focus-visible").get_attribute("aria-label") == "songplays"
    look = """box => {
        const style = part => getComputedStyle(box.querySelector(part));
        return [style('rect').stroke, style('text').opacity];
    }"""
    told = {
        name: tab.locator(f"a.box[aria-label={name}]").evaluate(look)
        for name in ("staging_events", "top_artists", "songs")
    }
    upstream, downstream = "rgb(0, 114, 178)", "rgb(213, 94, 0)"
    assert told["staging_events"] == [upstream, "1"]
    assert told["top_artists"] == [downstream, "1"]
    assert float(told["songs"][1]) < 1  # it is made of the catalogue, beside songplays
    tab.keyboard.press("Enter")
    assert tab.url.endswith("#songplays")
    assert is_seen(tab.locator("#songplays h4"))
    tab.close()


@in_a_browser
def test_on_a_phone_one_walks_from_column_to_column(browser: Browser, address: str) -> None:
    tab = browser.new_page(viewport={"width": PHONE, "height": HEIGHT})
    tab.goto(address + "lineage.html")
    assert not tab.locator(".graph").first.is_visible()
    tab.locator(".layers").get_by_role("link", name="songplays", exact=True).click()
    assert is_seen(tab.locator("#songplays h4"))
    tab.locator("#songplays summary").click()
    column = tab.locator("#songplays__user_id")
    assert "From int_sparkify__song_plays.user_id; begins as staging_events.userId" in (column.text_content() or "")
    column.get_by_role("link", name="staging_events.userId").click()
    raw = tab.locator("#staging_events__userId")  # in a list that nobody has unfolded
    assert is_seen(raw)
    assert "identifier" in (raw.text_content() or "")
    tab.go_back()
    assert tab.url.endswith("#songplays")
    tab.close()


def is_seen(place: Locator) -> bool:
    """Whether it is on the screen, and not only on the page."""
    box = place.bounding_box()
    return place.is_visible() and box is not None and 0 <= box["y"] < HEIGHT


def has_outline(focused: Locator) -> bool:
    return bool(focused.evaluate("element => parseFloat(getComputedStyle(element).outlineWidth) > 1"))


@in_a_browser
def test_a_person_finds_the_way_from_the_start_page(browser: Browser, address: str) -> None:
    """And dbt's docs have their search, and ask nobody else. Three of dbt's own icons are not in its page."""
    tab = browser.new_page(viewport={"width": DESKTOP, "height": HEIGHT})
    seen = Seen(tab, address)
    tab.goto(address)
    for name, heading in (
        ("Report", "Report"),
        ("Runs", "Run history"),
        ("Lineage", "Lineage"),
        ("Start", "Data set sample"),
    ):
        tab.get_by_role("navigation").get_by_role("link", name=name).click()
        assert heading in (tab.locator("h1").text_content() or "")
    assert seen.wrong == []
    tab.get_by_role("navigation").get_by_role("link", name="Docs").click()
    tab.get_by_placeholder("Search for models...").fill("songplays")
    tab.locator(".search-result, .result").first.wait_for()
    assert "songplays" in (tab.locator("body").text_content() or "")
    assert seen.outside == []
    tab.close()
