#!/bin/sh
# What the tests of libraries need. NumPy stays what it is, and comes with its tests this time.
set -eux
pip install --no-cache-dir --no-deps --force-reinstall "$(pip freeze | grep -i '^numpy==')"
pip install --no-cache-dir hypothesis==6.122.3 joblib==1.4.2 pandas==2.2.3 psutil==6.1.1 \
    pytest==8.3.4 pytest-timeout==2.3.1 scikit-learn==1.5.2
# loky's tests are in its source alone; they print what its processes say at exit.
pip install --no-cache-dir cloudpickle==3.1.2 loky==3.4.1
pip download --no-cache-dir --no-deps --no-binary :all: --dest /tmp loky==3.4.1
mkdir /opt/loky
tar -xf /tmp/loky-3.4.1.tar.gz -C /opt/loky --strip-components=1
rm /tmp/loky-3.4.1.tar.gz
