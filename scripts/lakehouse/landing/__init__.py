"""Landing files: what is new is planned, staged, and takes effect at once by the ledger."""
