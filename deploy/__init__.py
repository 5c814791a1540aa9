"""Where does it run? Local Kafka and TimescaleDB."""
