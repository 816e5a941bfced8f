"""From documents to token ids: tokenizers, the packed artefact, training batches and held-out windows."""
