"""The test caller, alone on synthetic sound and for real against Asterisk."""
