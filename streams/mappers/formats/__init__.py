"""One file for each format: how its bytes say what was measured."""
