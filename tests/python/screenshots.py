"""Takes pictures of the site's pages, for `make screenshots`: python screenshots.py target/site target/screenshots."""

import sys
from pathlib import Path
from typing import Literal

from browser import DESKTOP, HEIGHT, PHONE, chromium, served

PAGES = ("index", "report", "runs", "lineage", "static_index")
MODES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def take(site: Path, to: Path) -> list[Path]:
    """Takes them: each page that is there, whole, on a desktop and on a phone, light and dark."""
    to.mkdir(parents=True, exist_ok=True)
    taken = []
    with served(site) as address, chromium() as browser:
        for device, width in {"desktop": DESKTOP, "phone": PHONE}.items():
            for mode in MODES:
                page = browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme=mode)
                for name in PAGES:
                    if (site / f"{name}.html").exists():
                        page.goto(f"{address}{name}.html", wait_until="networkidle")
                        taken.append(to / f"{name}-{device}-{mode}.png")
                        page.screenshot(path=taken[-1], full_page=True)
                page.close()
    return taken


if __name__ == "__main__":
    for picture in take(Path(sys.argv[1]), Path(sys.argv[2])):
        print(picture)
