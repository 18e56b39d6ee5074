"""Every operation around one step: there only for the extra pair of runs of `verify --bisect`."""
