"""An instruction, read into a plan and drawn on the actual pictures: a local preview, never the model.

preview = render([photo], prompt="turn image 1 into a pencil sketch", size=(1024, 1024))
"""

from wan_sandbox.preview.plan import OPERATIONS, Operation, Plan
from wan_sandbox.preview.reader import read
from wan_sandbox.preview.render.picture import Preview, draw, render

__all__ = ["OPERATIONS", "Operation", "Plan", "Preview", "draw", "read", "render"]
