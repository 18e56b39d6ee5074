"""`tf-repro audit`: what would be random; notes inside the program, the command outside of it."""
