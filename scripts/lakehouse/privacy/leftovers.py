"""Folders of this machine that commands work in and remove, and what is left of those that were killed.

The name of such a folder tells whose it is: the process that made it. What a process left that is no more is removed.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "lakehouse_erasing_"
_NAME = re.compile(rf"{_PREFIX}([0-9]+)_\w+")


@contextmanager
def work_folder() -> Iterator[Path]:
    """A folder for what is secret for a while; for its owner only, and gone afterwards unless the process is killed."""
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}_") as folder:
        yield Path(folder)


def abandoned_work_folders() -> list[Path]:
    """The work folders, one's own, of processes that were killed."""
    return [
        folder
        for folder in sorted(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"))
        if (named := _NAME.fullmatch(folder.name)) and not _is_running(int(named[1])) and _is_own(folder)
    ]


def remove_abandoned_work_folders() -> int:
    """Removes them, and says how many there were."""
    abandoned = abandoned_work_folders()
    for folder in abandoned:
        shutil.rmtree(folder)
    return len(abandoned)


def _is_own(folder: Path) -> bool:
    return folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.getuid()


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
