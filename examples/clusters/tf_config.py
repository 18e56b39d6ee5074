"""Tell a task of a job which worker of a cluster it is: TF_CONFIG, out of what the scheduler says.

    tf_config.py --index "$JOB_COMPLETION_INDEX" --workers 2 --host "train-{index}.train:2222" -- \
        python train.py
    export TF_CONFIG=$(tf_config.py --index "$SLURM_PROCID" --hosts node1:2222,node2:2222)

With a program it becomes that one, with TF_CONFIG set; without one it prints the value. Standard
library only. https://www.tensorflow.org/guide/distributed_training#TF_CONFIG
"""

import argparse
import json
import os
import re
import sys

HOST = re.compile(r"[A-Za-z0-9_.-]+:[0-9]{1,5}")
LAST_PORT = 65535


class BadInputError(Exception):
    """What the scheduler or the user said names no worker; the message is one line."""


def main(argv: list[str]) -> int:
    """Print TF_CONFIG, or become the program; return 2 if there is no such worker."""
    parser = argparse.ArgumentParser(description="Tell a task which worker it is.")
    parser.add_argument("--index", required=True, help="which worker this is, from 0")
    hosts = parser.add_mutually_exclusive_group(required=True)
    hosts.add_argument("--hosts", help="host:port of every worker, with commas between")
    hosts.add_argument("--host", help="the pattern of host:port, with {index} for its number")
    parser.add_argument("--workers", default="", help="how many, with --host")
    parser.add_argument("program", nargs="*", help="after --: python train.py ...")
    chosen = parser.parse_args(argv)
    try:
        config = tf_config(chosen.index, all_hosts(chosen.hosts, chosen.host, chosen.workers))
    except BadInputError as error:
        print(f"tf_config: {error}", file=sys.stderr)
        return 2
    if not chosen.program:
        print(config)
        return 0
    os.environ["TF_CONFIG"] = config
    try:
        os.execvp(chosen.program[0], chosen.program)  # noqa: S606  # it takes our place
    except OSError as error:
        print(f"tf_config: {chosen.program[0]}: {error.strerror}", file=sys.stderr)
        return 2


def all_hosts(hosts: "str | None", pattern: str, workers: str) -> list[str]:
    """Return host:port of every worker.

    Raises:
        BadInputError: one of them is none, two are the same, or it is not said how many.
    """
    if hosts is not None:
        found = hosts.split(",")
    else:
        if not (workers.isascii() and workers.isdigit() and int(workers)):
            raise BadInputError(f"--workers={workers!r}: give a whole number from 1 up")
        if "{index}" not in pattern:
            raise BadInputError(f"--host={pattern!r}: it has no {{index}}, so all are the same")
        found = [pattern.replace("{index}", str(number)) for number in range(int(workers))]
    for host in found:
        if not HOST.fullmatch(host) or not 0 < int(host.rpartition(":")[2]) <= LAST_PORT:
            raise BadInputError(f"{host!r} is no host:port")
    twice = next((host for host in found if found.count(host) > 1), None)
    if twice:
        raise BadInputError(f"{twice} is given to two workers; each needs a port of its own")
    return found


def tf_config(index: str, hosts: list[str]) -> str:
    """Return the value of TF_CONFIG.

    Raises:
        BadInputError: the index is none, or there is no such worker.
    """
    if not (index.isascii() and index.isdigit()):
        raise BadInputError(f"--index={index!r}: the scheduler has not set it; is this its job?")
    if int(index) >= len(hosts):
        raise BadInputError(f"--index={index}: there are {len(hosts)} workers, counted from 0")
    task = {"type": "worker", "index": int(index)}
    return json.dumps({"cluster": {"worker": hosts}, "task": task})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
