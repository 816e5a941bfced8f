"""Laws of whole loss curves: one file each, found by file name."""
