"""What a finished corpus is, asked of its side table: one file per kind of question."""
