"""Ways to find duplicates, one file each; the name of the file is the ``kind`` in a plan."""
