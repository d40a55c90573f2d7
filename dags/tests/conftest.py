"""The DAGs' helpers are found as Airflow finds them: beside each other."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
