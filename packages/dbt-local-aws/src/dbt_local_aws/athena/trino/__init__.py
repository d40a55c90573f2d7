"""Trino on this machine: found, fetched once, started, asked, and ended with whoever started it."""
