"""The site: what a run built, drawn on pages for a browser. Queries are dbt models; here they are only drawn."""
