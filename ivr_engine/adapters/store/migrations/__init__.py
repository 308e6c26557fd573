"""Alembic's folder: `env.py` is run by it, `versions/` holds one file for each change of the tables."""
