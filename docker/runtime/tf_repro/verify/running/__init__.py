"""One run after the other, each in a folder of its own, and all that it leaves."""
