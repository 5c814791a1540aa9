"""A seeded fleet of machines with known faults, for demos and tests."""
