"""COPY … FROM s3://…: its grammar, the files that it reads, the values that it converts, what it writes down."""
