"""PostgreSQL servers of our own: the embedded one, and those of the local stack and the tests."""
