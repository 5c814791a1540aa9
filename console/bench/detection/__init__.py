"""How well the detectors find what is labelled in public data, by the published protocols."""
