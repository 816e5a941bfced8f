"""A question, the trials that answer it, and the decision they lead to."""
