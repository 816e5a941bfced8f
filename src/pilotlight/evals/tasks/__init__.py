"""Tasks, one file each; the name of the file is the ``kind``."""
