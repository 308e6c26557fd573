"""Slow campaigns with many real calls, run by hand (`python -m tests.campaigns.keys --help`), never by pytest.

The same work in small runs in the tests of `tests/asterisk`.
"""
