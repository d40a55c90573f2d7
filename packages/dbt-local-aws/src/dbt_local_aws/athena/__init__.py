"""A local endpoint for Amazon Athena, with Glue, S3 and STS, that unmodified AWS clients and dbt-athena talk to."""

from dbt_local_aws.athena.server import LocalAthena

__all__ = ["LocalAthena"]
