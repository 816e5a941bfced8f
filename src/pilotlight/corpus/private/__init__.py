"""Private data in text: what finds it, one file for each family of detectors."""
