"""What happened, as files: all that pages show, read without torch."""
