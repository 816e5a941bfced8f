"""Scaling: laws fitted to small runs, and what they say, with error, about a large one."""
