"""Tests of tests: how they are read, judged, counted and rewritten."""
