"""When will it fail, what is used up? Remaining life with honest intervals. No I/O."""
