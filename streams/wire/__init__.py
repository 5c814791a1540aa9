"""The wire format: binary and JSON frames, decoded a whole chunk at a time."""
