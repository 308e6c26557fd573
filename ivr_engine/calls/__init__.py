"""The meeting point of one live call: session, operations of flows, queueing, records."""
