"""Amazon Redshift on this machine: an endpoint that the unmodified dbt-redshift adapter, psql and other clients talk to."""

from local_aws.redshift.endpoint import LocalRedshift

__all__ = ["LocalRedshift"]
