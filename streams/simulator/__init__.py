"""A seeded fleet of elevators, transformers and machine tools with known faults, for demos and tests."""
