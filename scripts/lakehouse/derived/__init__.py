"""Landing tables that are worked out of what has landed."""
