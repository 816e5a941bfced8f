"""Training: a function from a plan, a machine and tokens to a run folder that survives any kill.

Settings (``plan``, ``machine``, ``optim/``, ``schedules/``, ``objectives/``) never import torch; ``loop.train`` does.
"""
