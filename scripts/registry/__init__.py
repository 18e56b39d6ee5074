"""A registry's HTTP API, and an image there: its layers, manifest, tags, and what refers to it."""
