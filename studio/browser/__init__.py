"""What the browser keeps, and the scripts and styles that it runs."""
