"""The page: the only room that imports Gradio."""

from .page import build, launch

__all__ = ["build", "launch"]
