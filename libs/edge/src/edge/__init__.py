"""What every HTTP service shares: problem details, idempotency, pages, tokens, health, telemetry."""
