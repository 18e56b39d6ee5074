#!/bin/sh
# Usage: isolated.sh FLAGS... (each one word). Prints what isolated.py sees under each, a line of JSON.
set -eu
folder=$(mktemp -d)
for name in sitecustomize planted startup; do
    echo "open('/tmp/planted/${name}', 'w').close()" >"${folder}/${name}.py"
done
echo "hook = lambda: open('/tmp/planted/hook', 'w').close()" >>"${folder}/planted.py"
mkdir -p /tmp/planted
export PYTHONPATH="${folder}" PYTHONBREAKPOINT=planted.hook PYTHONSTARTUP="${folder}/startup.py"
for flags in "$@"; do
    python3 ${flags:+"${flags}"} isolated.py | sed "s,${folder},/folder,g"
done
