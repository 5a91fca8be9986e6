"""What can go wrong on request, and how it is answered."""
