"""Tokenizers, one per file: the name of a file is the ``kind`` of its settings."""
