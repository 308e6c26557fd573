"""The flow language: files, findings, steps, and the runner. Knows no Asterisk and no bank."""
