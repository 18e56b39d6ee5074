"""The kit: everything that runs on the host. `make help` lists what it does."""
