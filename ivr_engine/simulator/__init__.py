"""A caller who exists only in memory, on a clock that jumps: for tests, `ivr play` and breadth."""
