"""Programs run in the image and judged: `make prove`, `make verify`, `make bench-…`."""
