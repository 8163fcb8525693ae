"""Addresses, people, houses, units, grids, roster and duty list."""
