"""A script that another one starts draws as it would by itself."""

import subprocess
import sys

CODE = "import random, numpy as np; print(random.random(), np.random.rand())"
subprocess.run([sys.executable, "-c", CODE], check=True)
subprocess.run([sys.executable, "-"], input=CODE.encode(), check=True)
subprocess.run([sys.executable, "-c", CODE], env={}, check=True)
