"""Asterisk as the engine's telephone: FastAGI sessions, a caller's line on them, and the files they play."""
