"""Amazon Athena on this machine: its API, over Glue and S3 by moto, with a Trino that runs the queries."""
