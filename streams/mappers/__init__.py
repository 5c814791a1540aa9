"""Messages in the field's formats as readings of known machines: docs/mappers.md."""
