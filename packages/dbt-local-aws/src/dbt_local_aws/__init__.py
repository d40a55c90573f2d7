"""AWS on this machine: local endpoints that the unmodified adapters, boto3 and SQL clients talk to."""
