"""Where the real data is, and the mark of the tests that need it: where it is absent, they are skipped and say so."""

import os
import sys
from pathlib import Path

import pytest

PROJECT_DIR = Path(__file__).resolve().parents[2]
LAKEHOUSE = str(Path(sys.executable).with_name("lakehouse"))
"""The command, as it is installed."""

SHARED_DATA = Path(os.environ.get("SHARED_DATA", PROJECT_DIR.parent / "shared" / "data"))
UDACITY = SHARED_DATA / "udacity"
SMALL_FILES = SHARED_DATA / "small_files"

needs_real_data = pytest.mark.skipif(
    not UDACITY.is_dir(),
    reason=f"THE REAL DATA IS NOT THERE: {UDACITY} does not exist, set SHARED_DATA; the published counts go UNTESTED",
)
