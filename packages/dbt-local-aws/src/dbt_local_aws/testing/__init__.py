"""What tests need that look at the endpoints: clients of them, what lies in the lake, and how much is tried."""

import os

EVERYTHING = os.environ.get("ALL", "0") not in ("", "0")
"""Whether a test tries all that there is to try. Without it a test of many alike cases takes a stated part of them."""
