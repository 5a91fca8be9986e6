"""What strangers can reach: endpoints, limits, visitors, uploads."""
