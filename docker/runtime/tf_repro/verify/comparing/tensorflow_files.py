"""Checkpoints and SavedModels by content: tensors, signatures and operations.

Keras writes the variables of an export in the order of sets, which is that of memory addresses, and
with it node numbers, names of keys and checksums. What a model computes is not in that order.
"""

import collections
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# How TensorFlow names the object graph that a checkpoint carries beside its tensors.
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def checkpoint(index: Path) -> Iterator[tuple[str, str]]:
    """Yield each tensor of a checkpoint by its key; those of a SavedModel in no order."""
    import tensorflow as tf  # noqa: PLC0415  # the user's own, and only where such a file differs

    reader = tf.train.load_checkpoint(str(index.with_suffix("")))
    keys = sorted(key for key in reader.get_variable_to_shape_map() if key != _OBJECT_GRAPH)
    digests = {key: _digest(reader.get_tensor(key)) for key in keys}
    if (index.parent.parent / "saved_model.pb").exists():
        # Under more than one key, perhaps, and not always under the same.
        yield from (
            (f"tensor {number}", one) for number, one in enumerate(sorted(digests.values()))
        )
    else:
        yield from digests.items()


def saved_model(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the signatures of a SavedModel, and how often it has each kind of operation."""
    from tensorflow.core.protobuf import saved_model_pb2  # noqa: PLC0415  # as above

    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for number, graph in enumerate(model.meta_graphs):
        for name, signature in sorted(graph.signature_def.items()):
            for side in (signature.inputs, signature.outputs):
                for key, tensor in sorted(side.items()):
                    yield f"signature {name}: {key}", f"{tensor.dtype} {tensor.tensor_shape}"
        functions = graph.graph_def.library.function
        nodes = [*graph.graph_def.node, *(node for one in functions for node in one.node_def)]
        counted = collections.Counter(map(_kind, nodes))
        yield from ((f"graph {number}: {kind}", str(count)) for kind, count in counted.items())


def _kind(node: Any) -> str:
    types = [str(node.attr[name].type) for name in ("T", "dtype") if name in node.attr]
    return " ".join([node.op, *types])


def _digest(value: Any) -> str:
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    text = f"{value.dtype} {value.shape} ".encode()
    return hashlib.sha256(text + value.tobytes()).hexdigest()
