"""The statements that Athena gives to Hive: databases, external tables, ALTER, DROP, MSCK, SHOW and DESCRIBE."""
