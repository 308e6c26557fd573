"""Wire protocols without input or output: bytes in, messages out. No sockets, no clock, no logging."""
