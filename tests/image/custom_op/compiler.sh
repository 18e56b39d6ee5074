#!/bin/sh
# What a derived image adds to build ops in.
set -eu
apt-get update
apt-get install --yes --no-install-recommends g++
