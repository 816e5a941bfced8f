"""Words by what they express: data files of the word-based measures, and how they are read."""
