"""Amazon Redshift on this machine: an endpoint for the unmodified dbt-redshift adapter, psql and other clients."""

from dbt_local_aws.redshift.endpoint import LocalRedshift

__all__ = ["LocalRedshift"]
