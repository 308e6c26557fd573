"""The database: one engine for SQLite and PostgreSQL, its tables, their migrations, and the call journal."""
