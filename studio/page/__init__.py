"""What is where on the page, and what happens on each event."""
