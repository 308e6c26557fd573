from __future__ import annotations

from tests.adapters.store.databases import database_url, empty_database_url, new_postgres, new_sqlite

__all__ = ["database_url", "empty_database_url", "new_postgres", "new_sqlite"]
