"""Tables that follow events, and the queries on them."""
