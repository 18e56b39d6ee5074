"""What must stay random, for everybody's safety, in every mode."""

import os
import random
import secrets
import ssl
import tempfile
import uuid

import numpy as np  # noqa: F401  # whatever is armed with it is armed here too

print(os.urandom(16).hex())
print(secrets.token_hex(16))
print(secrets.randbits(128))
print(uuid.uuid4())
print(random.SystemRandom().random())
print(ssl.RAND_bytes(16).hex())
print(next(tempfile._get_candidate_names()))
