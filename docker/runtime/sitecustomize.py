"""Arm tf_repro, then run the user's own sitecustomize, if there is one further down sys.path.

This file replaces the one that Debian ships in the standard library's folder: that place is
searched before site-packages, in every virtual environment, and under -I and -E too.
"""

import tf_repro.start

tf_repro.start.once()
tf_repro.start.chain_load(__name__, __file__)
