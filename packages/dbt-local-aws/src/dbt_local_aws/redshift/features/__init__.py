"""What Redshift's queries have and PostgreSQL's have not, put into PostgreSQL's words: one module for each feature."""
