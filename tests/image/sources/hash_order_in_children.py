"""The same in children that were started with an empty environment, whichever Python flags they have.

Not under -I and -E: there CPython reads no PYTHONHASHSEED, and isolation comes first.
"""

import subprocess
import sys

CODE = "print(hash('a'), {'x', 'y', 'z', 'u', 'v', 'w'})"
for flags in ([], ["-s"], ["-P"], ["-u"]):
    subprocess.run([sys.executable, *flags, "-c", CODE], env={}, check=True)
    subprocess.run([sys.executable, *flags, "-c", CODE], check=True)
