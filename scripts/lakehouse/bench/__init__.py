"""Measures loader and builds beside what people use instead, in one run on one machine."""
