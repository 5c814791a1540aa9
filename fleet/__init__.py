"""What do we watch, for whom, under which rules? Types and rules, no I/O."""
