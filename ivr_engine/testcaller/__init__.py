"""Real calls through a real telephone: dials, hears recordings exactly, presses keys. For `ivr call` and the tests."""
