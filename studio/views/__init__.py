"""Data to HTML: pure functions from jobs, results and pictures to what the page shows."""
