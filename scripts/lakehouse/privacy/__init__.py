"""Erasing people, everywhere, and proving it."""
