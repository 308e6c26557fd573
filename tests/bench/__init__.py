"""The benchmark: the same call by several servers in turn on one machine. Run it with `make bench`."""
