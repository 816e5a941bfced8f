"""Edits, one file each; the name of the file is the ``kind`` in a plan."""
