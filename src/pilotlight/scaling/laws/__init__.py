"""Laws of loss against size, tokens and compute: one file each, found by file name."""
