"""What the preview reads and draws."""
