"""Units of work: what is to be done, in which processes, and what came of it."""
