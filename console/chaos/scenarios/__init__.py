"""What can go wrong, one kind a file: a module names its scenarios `SCENARIOS`."""
