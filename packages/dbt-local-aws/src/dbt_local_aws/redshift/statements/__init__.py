"""Redshift's statements: what is refused, and what PostgreSQL is told in their place."""
