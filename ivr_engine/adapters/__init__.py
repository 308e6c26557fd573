"""Everything outside the engine, each behind a port: Asterisk, the bank, stores, gateways."""
