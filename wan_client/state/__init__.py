"""What is remembered on disk: the journal of paid runs, and how long runs took."""
