"""Where Redshift's COPY finds the landing zone: it looks in the cluster's own region, unless it is told another."""

import os
import re

from lakehouse.storage.folder import Say, is_s3
from lakehouse.storage.s3 import S3Prefix

REGION_VARIABLE = "LANDING_ZONE_REGION"
_CLUSTER = re.compile(r"\.([a-z]+(?:-[a-z]+)+-\d+)\.redshift(?:-serverless)?\.amazonaws\.com(?:\.cn)?")


def tell_copy_the_region(target: str, zone: str, say: Say) -> None:
    """Puts the region of the zone's bucket where dbt takes it for COPY, unless a person has, before anything lands.

    The rule: https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-source-s3.html.

    Args:
        target: Only Redshift copies.
        zone: A folder or `s3://bucket/prefix`.
        say: Is told where the cluster is in another region, as far as its name tells its own.

    Raises:
        LandingError: There is no such bucket, or S3 cannot be reached.
    """
    if target != "redshift" or not is_s3(zone):
        return
    region = os.environ.get(REGION_VARIABLE) or S3Prefix.parse(zone).region()
    if not region:
        return
    os.environ[REGION_VARIABLE] = region
    cluster = _CLUSTER.search(os.environ.get("REDSHIFT_HOST", ""))
    if cluster and cluster[1] != region:
        say(
            f"{zone} is in {region}, the cluster in {cluster[1]}: COPY reads it from there, which takes longer "
            "and is charged as a transfer between regions"
        )
