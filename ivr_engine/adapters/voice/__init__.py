"""From prompt texts and a bank's recordings to telephone audio files. Knows speech engines and files; no calls."""
