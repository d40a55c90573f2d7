"""Gets Trino ready before it is needed: `python -m dbt_local_aws.athena.trino` fetches it, or says what is missing."""

import sys

from dbt_local_aws.athena.trino.server import installed
from dbt_local_aws.java import UnavailableError


def main() -> int:
    """Exits with 1 where Trino cannot be had."""
    try:
        installed()
    except UnavailableError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
