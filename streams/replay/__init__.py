"""Sends recorded files as frames: a map says what their columns are."""
