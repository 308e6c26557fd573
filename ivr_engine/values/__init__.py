"""Values that every layer shares: money, keys, secrets, ids, clocks. Knows nothing above itself."""
