"""Routes: what operators and pages ask."""
