"""`tf-repro doctor`: what this interpreter guarantees, and which ops raise."""
