"""`make publish` and `make changelog`: an image goes to the registry, and what changed there."""
