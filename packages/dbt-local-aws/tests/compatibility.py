"""Makes ../COMPATIBILITY.md of the tests: `python tests/compatibility.py` writes it, test_compatibility.py compares it.

What counts are the marks `documented(page, treatment)` of the tests as pytest collects them; none of them is run.
A page is the last part of its address without .html, in the guide of the endpoint whose tests they are; one of another
guide has its whole path, without https://docs.aws.amazon.com/, or its whole address.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "COMPATIBILITY.md"
TREATMENTS = ("as documented", "refused as documented", "not emulated", "different")
SERVICES = {"redshift": "Amazon Redshift", "athena": "Amazon Athena"}
_GUIDES = {"redshift": "redshift/latest/dg", "athena": "athena/latest/ug"}
_APIS = {"redshift": "redshift-data/latest/APIReference", "athena": "athena/latest/APIReference"}
_MANAGEMENT = {
    "connecting-from-psql",
    "generating-user-credentials",
    "options-for-providing-iam-credentials",
    "data-api",
}

Cases = Counter[tuple[str, str, str]]  # of a service, a page and a treatment

_INTRODUCTION = """\
# Compatibility

What the endpoints make of what the vendor's pages say, counted in the cases that the tests have of each page. `python
tests/compatibility.py` makes this file of the tests' marks, and a test fails where it is not what they give.

| | |
|---|---|
| as documented | it works as the page says |
| refused as documented | the page says that the service refuses it, and so does the endpoint |
| not emulated | the service can do it; the endpoint refuses it, and says so |
| different | it works, but otherwise than the page says |

A page that is not here has no case of its own, which says nothing of what it is about.
"""


class _Collector:
    """Notes the marks of what pytest collects."""

    def __init__(self) -> None:
        self.cases: Cases = Counter()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            service = item.path.relative_to(TESTS).parts[0]
            for page, treatment in {(str(mark.args[0]), str(mark.args[1])) for mark in item.iter_markers("documented")}:
                if service not in SERVICES or treatment not in TREATMENTS:
                    raise pytest.UsageError(f"{item.nodeid}: no service, or no treatment: {service}, {treatment}")
                self.cases[service, page, treatment] += 1


def _print_cases() -> int:
    """Prints the cases as JSON in the last line."""
    collector = _Collector()
    folders = [str(TESTS / service) for service in SERVICES]
    code = pytest.main(["--collect-only", "-q", "--no-header", "-p", "no:cacheprovider", *folders], plugins=[collector])
    print(json.dumps([[*key, count] for key, count in collector.cases.items()]))
    return int(code)


def collected() -> Cases:
    """The cases; pytest runs in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if name != "ALL"}
    command = [sys.executable, str(Path(__file__)), "--print"]
    done = subprocess.run(command, cwd=TESTS.parent, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the tests cannot be collected:\n{done.stdout}")
    cases: Cases = Counter()
    for service, page, treatment, count in json.loads(done.stdout.splitlines()[-1]):
        cases[service, page, treatment] += count
    return cases


def address(service: str, page: str) -> str:
    """Where a page is."""
    if page.startswith("https://"):
        return page
    if "/" in page:
        path = page
    elif page.startswith("API_") or page == "CommonErrors":
        path = f"{_APIS[service]}/{page}"
    else:
        path = f"{'redshift/latest/mgmt' if page in _MANAGEMENT else _GUIDES[service]}/{page}"
    return f"https://docs.aws.amazon.com/{path}.html"


def page_of(cases: Cases) -> str:
    """The file's text."""
    return _INTRODUCTION + "".join(_section(service, cases) for service in SERVICES)


def _section(service: str, cases: Cases) -> str:
    pages = sorted({page for found, page, _ in cases if found == service}, key=lambda page: (_name(page).lower(), page))
    lines = [f"| Page | {' | '.join(TREATMENTS)} |", f"|---|{'--:|' * len(TREATMENTS)}"]
    for page in pages:
        counts = [cases[service, page, treatment] for treatment in TREATMENTS]
        lines.append(f"| [{_name(page)}]({address(service, page)}) | {_cells(counts)} |")
    totals = [sum(cases[service, page, treatment] for page in pages) for treatment in TREATMENTS]
    lines.append(f"| **{len(pages)} pages** | {_cells(totals)} |")
    return f"\n## {SERVICES[service]}\n\n" + "\n".join(lines) + "\n"


def _name(page: str) -> str:
    return page.rpartition("/")[2].removesuffix(".html")


def _cells(counts: list[int]) -> str:
    return " | ".join(str(count) if count else "" for count in counts)


if __name__ == "__main__":
    if sys.argv[1:] == ["--print"]:
        sys.exit(_print_cases())
    PAGE.write_text(page_of(collected()), encoding="utf-8")
