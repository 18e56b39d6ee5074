"""Which task of a cluster this process is, by TF_CONFIG; loaded where that is set.

All workers are given one seed, and each draws for itself: its dropout, its augmentation and the
shuffles of its shard are no copies of another worker's. Initial weights are the chief's, whom
TensorFlow has send them to all; the chief begins at exactly the seed.
https://www.tensorflow.org/guide/distributed_training#TF_CONFIG
"""

import json

VARIABLE = "TF_CONFIG"
# Not in the cluster that it looks at.
EVALUATOR = "evaluator"


def path(text: str) -> "str | None":
    """Return the path of the streams of a task, such as "/worker1": empty for the chief's.

    Args:
        text: the value of TF_CONFIG.

    Returns:
        None where it names no cluster: a job of one machine, as some services describe it.

    Raises:
        ValueError: it names no task of a cluster; the message is one line for the user.
    """
    config = _mapping(_parsed(text), "it")
    cluster = _mapping(config.get("cluster", {}), "cluster")
    task = _mapping(config.get("task", {}), "task")
    if not cluster or not task:
        return None
    kind, index = task.get("type"), task.get("index")
    if kind != EVALUATOR and kind not in cluster:
        raise _wrong(f"task.type is {kind!r}, and the cluster has {', '.join(cluster)}")
    number, hosts = _number(index), cluster.get(kind)
    if number is None or (isinstance(hosts, list) and number >= len(hosts)):
        count = len(hosts) if isinstance(hosts, list) else 1
        raise _wrong(f"task.index is {index!r}, and the cluster has {count} of {kind}")
    chief = "chief" if "chief" in cluster else "master" if "master" in cluster else "worker"
    return "" if (kind, number) == (chief, 0) else f"/{kind}{number}"


def sizes(text: str) -> "dict[str, int]":
    """Return how many tasks of each kind the cluster has; empty where `text` describes none.

    Args:
        text: the value of TF_CONFIG.
    """
    try:
        described = json.loads(text)["cluster"]
        return {kind: len(hosts) for kind, hosts in sorted(described.items())}
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}  # mode off takes what `path` refuses


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise _wrong(f"it is no JSON: {error}") from None


def _mapping(value: object, name: str) -> "dict[str, object]":
    if not isinstance(value, dict):
        raise _wrong(f"{name} is no object of JSON")
    return value


def _number(index: object) -> "int | None":
    """Return what TensorFlow makes of an index, which some schedulers write as text."""
    if isinstance(index, str) and index.isascii() and index.isdigit():
        return int(index)
    return index if isinstance(index, int) and not isinstance(index, bool) and index >= 0 else None


def _wrong(what: str) -> ValueError:
    return ValueError(
        f"{VARIABLE} names no task of a cluster: {what}; give a cluster, and a task with type and"
        " index"
    )
