"""How a local picture reaches the API: inside the request, or through a bucket."""
