"""When this happened, then do that."""
