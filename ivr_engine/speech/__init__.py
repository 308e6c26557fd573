"""From a value to the recordings that speak it. Knows languages and prompt ids; no channel, no audio."""
