"""Sections of the page of a corpus, one file each."""
