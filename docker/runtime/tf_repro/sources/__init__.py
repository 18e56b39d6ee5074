"""One file for each source of randomness; each has ON_IMPORT, its functions by module name."""
