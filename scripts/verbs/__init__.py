"""The kit's verbs: each takes its options, and has a room do the work."""
