"""Faust transports that deliver one event per partition chunk and commit only what is stored."""
