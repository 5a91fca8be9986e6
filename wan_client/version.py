"""The version of the project: the metadata, ``/readyz`` and the client's ``User-Agent`` all take it from here."""

__version__ = "0.1.0"
USER_AGENT = f"wan-client/{__version__}"
