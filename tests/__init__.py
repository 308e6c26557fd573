"""Tests; the tree mirrors ivr_engine/."""
