"""What is said of an image, and whether that is true: provenance, signatures, vulnerabilities."""
