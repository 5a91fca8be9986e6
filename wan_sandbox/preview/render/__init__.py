"""Draw a plan on its references: adjustments, compositions, the frame and the label; `picture` is the whole way."""
