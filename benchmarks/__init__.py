"""Programs that measure the client: ``pictures``, ``optimum``, and beside others ``pace`` and ``many``."""
