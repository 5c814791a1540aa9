"""Real Apache Kafka and PostgreSQL with TimescaleDB on loopback, without containers."""
