"""The precision and scale of decimals: what Redshift makes of a computation, where PostgreSQL derives nothing."""
