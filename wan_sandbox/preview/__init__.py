"""An instruction, read into a plan and drawn on the actual pictures: a local preview, never the model.

preview = render([photo], prompt="turn image 1 into a pencil sketch", size=(1024, 1024))
"""

from .picture import Preview, draw, render
from .plan import OPERATIONS, Operation, Plan
from .reader import read

__all__ = ["OPERATIONS", "Operation", "Plan", "Preview", "draw", "read", "render"]
