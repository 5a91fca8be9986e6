"""Jobs, the queue that they wait in, their pictures, and the processes that draw them."""
