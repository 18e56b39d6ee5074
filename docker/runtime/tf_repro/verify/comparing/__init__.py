"""Two runs, side by side: their steps, their weights, their files."""
