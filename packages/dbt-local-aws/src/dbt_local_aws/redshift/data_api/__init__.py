"""The Redshift Data API: statements that are sent by HTTP, and run on connections of its own."""
