"""UNLOAD … TO s3://…: its grammar, the files that it writes, what it writes down."""
