"""The package behind the commands in scripts/: lands raw data, and helps the pipeline around dbt."""
