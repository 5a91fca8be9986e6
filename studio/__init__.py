"""The page: the only room that imports Gradio."""

from .server import PortTaken, Server, stop_on_signals
from .settings import PageSettings

__all__ = ["PageSettings", "PortTaken", "Server", "stop_on_signals"]
