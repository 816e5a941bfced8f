"""Trained models on tasks: likelihoods of texts, options and labels, and what they come to with uncertainty."""
