"""The page's languages and texts."""
