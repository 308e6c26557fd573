"""The commands of `ivr`, one file each; each adds its own parser and returns an exit status (common.py)."""
