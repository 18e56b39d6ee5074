"""`tf-repro verify`, on records made up here."""
