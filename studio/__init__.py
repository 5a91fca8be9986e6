"""The page: the only package that imports Gradio. `settings` is read first, since Gradio raises on a bad variable."""

from . import gradio_import

gradio_import.skip_stubs()
