#!/bin/sh
# Give everything that this build step made or changed the time SOURCE_DATE_EPOCH, so that the layer's
# bytes do not depend on when it was built. The last command of every RUN.
# What BuildKit mounts (/proc, /etc/resolv.conf, …) is no part of the layer, and cannot be touched.
set -eu
find / -xdev -newermt "@${SOURCE_DATE_EPOCH}" -writable \
    ! -path /proc ! -path /sys ! -path /dev ! -path '/mnt*' \
    -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +
