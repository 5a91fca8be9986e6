"""Jobs that outlive a tab, the engines that run them, and their results on disk."""
