"""Whether all engines agree: every relation is dumped by each of them, and the dumps are compared row by row."""
