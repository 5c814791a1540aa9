"""How do people operate it? Command line, HTTP API, settings, and the one composition root."""
