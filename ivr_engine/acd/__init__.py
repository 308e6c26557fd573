"""Which waiting caller is offered to which agent: pure decisions over one stream of events."""
