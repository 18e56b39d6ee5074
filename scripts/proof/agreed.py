"""What the kit and the runtime in the image both know, though neither imports the other.

tests/unit/kit/test_agreed.py holds this copy against the runtime's.
"""

from __future__ import annotations

# What a run is asked for: whoever runs a script in an image hands all of it on.
SETTINGS = (
    "TF_REPRO",
    "TF_REPRO_SEED",
    "TF_REPRO_ASLR",
    "TF_REPRO_REACH",
    "TF_REPRO_RESUME",
    "TF_REPRO_TRACK",
    "TF_REPRO_DEBUG",
)
# Tells the runtime which image it is in, which no image can know of itself.
IMAGE = "TF_REPRO_IMAGE"
# Folders that are no part of what a script reads.
LEFT_OUT = {".git", ".venv", "__pycache__"}
# How the folders begin that no run gets a copy of.
TEMPORARY = ".tf-repro-"
# How the name of a notebook ends: it is a program by itself.
NOTEBOOK = ".ipynb"
# What a run leaves, whatever else it does.
RUN = "run.json"
# What a run has said on its standard error, beside it.
STDERR = "stderr.txt"
# What a line begins with that says how far a run is, for people.
PROGRESS = "progress: "
# Pairs of runs that look for the operation: the second where the first has not found it.
ATTEMPTS = 2
# The folder of such a run, with its number behind.
PAIR = "bisect-"
# From here on an exit status says that there is no result.
COULD_NOT_RUN = 2
# Which commit a folder is at, and whether it has changed since.
DESCRIBE = ("git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
