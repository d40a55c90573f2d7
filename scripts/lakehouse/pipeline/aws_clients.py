"""Clients of AWS, of which dbt-athena makes a new one for every model and test."""

from functools import cache

import botocore.session
from botocore.loaders import create_loader


def share_descriptions() -> None:
    """Has all sessions of this process share one reading of botocore's descriptions of AWS's services.

    A session reads them by itself otherwise, 2 MB of JSON: half of what dbt computes in a build on Athena. Within a
    session botocore shares them already, with all its clients and threads.
    """
    if botocore.session.create_loader is create_loader:
        botocore.session.create_loader = cache(create_loader)
