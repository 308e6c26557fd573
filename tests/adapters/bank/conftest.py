from __future__ import annotations

from tests.adapters.store.databases import database_url, empty_database_url

__all__ = ["database_url", "empty_database_url"]
