"""The same in children that were started with an empty environment, or told to ignore it."""

import subprocess
import sys

CODE = "print(hash('a'), {'x', 'y', 'z', 'u', 'v', 'w'})"
for flags in ([], ["-I"], ["-E"], ["-s"]):
    subprocess.run([sys.executable, *flags, "-c", CODE], env={}, check=True)
    subprocess.run([sys.executable, *flags, "-c", CODE], check=True)
