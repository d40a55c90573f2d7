"""Synthetic raw data with the shape, the size and the traps of the real one."""

from lakehouse.sample.generate import Report, SampleError, generate

__all__ = ["Report", "SampleError", "generate"]
