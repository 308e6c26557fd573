"""Hotlines of our own, on which tests of flows are placed as real calls, and what they told apart from virtual time."""
