"""A verdict for people and programs: terminal, JSON, HTML, passport."""
