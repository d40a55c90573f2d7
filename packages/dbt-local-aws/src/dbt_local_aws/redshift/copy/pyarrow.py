"""pyarrow, which is no dependency: it reads and writes Parquet, and ZSTD."""

import importlib
from typing import Any

from dbt_local_aws.redshift.errors import FEATURE_NOT_SUPPORTED, RedshiftError


def pyarrow(what: str, module: str = "pyarrow") -> Any:  # noqa: ANN401 - it has no types
    """The module; raises where it is not installed, and says what for it is needed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise RedshiftError(
            FEATURE_NOT_SUPPORTED,
            f"the local Redshift endpoint reads and writes {what} with pyarrow, which is not installed",
            hint="Install the extra: pip install 'dbt-local-aws[parquet]'.",
        ) from error
