"""Amazon Redshift on this machine: an endpoint for the unmodified dbt-redshift adapter, psql and other clients."""
