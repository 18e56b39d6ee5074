#!/bin/sh
# Make the kit's own environment, .venv, out of requirements.lock. The Makefile runs it when the lock
# is newer than the environment; a run that was killed is begun again, for the mark comes last.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "error: $*" >&2
    exit 2
}

is_made() {
    [ .venv/.complete -nt requirements.lock ] && [ .venv/.complete -nt scripts/bootstrap.sh ]
}

command -v python3 >/dev/null || fail "python3 is not on PATH; install it: apt-get install python3"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$(command -v python3) is $(python3 -V); the kit needs Python 3.11 or later on PATH"

# Of two that begin at the same time the second waits, and finds what the first has made.
exec 9<requirements.lock
if command -v flock >/dev/null; then
    flock 9
    is_made && exit
fi

# Debian ships venv as a package of its own.
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        fail "python3 has no venv; install it: apt-get install python3-venv"
    fi
    echo "installing python3-venv, which the kit's environment is made with" >&2
    if ! { apt-get -qq update && apt-get -qq install -y --no-install-recommends python3-venv; } >/dev/null; then
        fail "apt-get could not install python3-venv; check the network and try again"
    fi
fi

echo "setting up the kit's environment from requirements.lock" >&2
rm -rf .venv
python3 -m venv .venv
# The only thing that may be installed is what the lock names, by hash.
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
    --requirement requirements.lock ||
    fail "pip could not install the kit's environment; check the network (behind a company proxy:" \
        "HTTPS_PROXY, and PIP_CERT for its certificate) and run the same command again"
touch .venv/.complete
