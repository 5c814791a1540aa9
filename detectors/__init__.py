"""Is it odd now? Numbers in, scores and per-channel contributions out. No I/O."""
