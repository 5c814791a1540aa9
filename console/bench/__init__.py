"""How fast is it? Benchmarks of the real parts, each beside its rival or limit in the same run."""
