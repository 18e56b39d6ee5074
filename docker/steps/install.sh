#!/bin/sh
# Install the wheels of /mnt/locked into /opt/venv, leave out what trim.toml says, and tell the loader
# where the libraries of NVIDIA's wheels are. A step of the Dockerfile: PYTHON is the image's version.
set -eux
site="/opt/venv/lib/python${PYTHON}/site-packages"

# pip runs out of its own locked wheel; with TensorFlow it is installed, too.
pip=$(echo /mnt/locked/wheels/pip-*.whl)
env -u PIP_CONSTRAINT python "${pip}/pip" install \
    --no-index --find-links=/mnt/locked/wheels --require-hashes --no-deps \
    --no-compile --no-cache-dir --no-input --quiet --root-user-action=ignore \
    --requirement=/mnt/locked/requirements.lock
"python${PYTHON}" -S /mnt/steps/trim.py /mnt/locked/trim.toml "${site}"

# The loader finds them whatever TensorFlow's own search path says (2.12 and 2.13 have none) and
# whatever LD_LIBRARY_PATH says. ldconfig's aux-cache holds inode numbers.
if [ -d "${site}/nvidia" ]; then
    find "${site}/nvidia" -mindepth 2 -maxdepth 2 -name lib | sort >/etc/ld.so.conf.d/tf-repro-cuda.conf
    ldconfig
    rm -f /var/cache/ldconfig/aux-cache
fi
