"""Real Kafka, real Postgres and the four services on one machine, without Docker."""
