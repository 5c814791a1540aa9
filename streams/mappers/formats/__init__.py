"""One file for each format: how its bytes say what was measured, and nothing about whose channels these are."""
