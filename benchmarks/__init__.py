"""Programs that measure the client against others: ``pace`` and ``many``. They need fal-client and replicate."""
