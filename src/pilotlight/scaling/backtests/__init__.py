"""One file for each kind of back-test task: what is asked of a prediction, and how the answer is scored."""
