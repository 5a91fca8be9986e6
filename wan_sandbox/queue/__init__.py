"""Jobs, the queue they wait in, their pictures, and the processes that draw them."""
