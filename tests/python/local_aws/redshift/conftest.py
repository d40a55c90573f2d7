"""One endpoint, and one S3 for COPY to read from, for all tests of a session."""

from dbt_local_aws.testing.redshift import connect, redshift, s3, s3_endpoint_url, sockets_closed

__all__ = ["connect", "redshift", "s3", "s3_endpoint_url", "sockets_closed"]
