"""The rules of the trade, as pure functions: what may be done with a case, and to whom it falls."""
