"""Tests of flows, one conversation a file: what they say, what they expect, which lines of the flows they reach."""
