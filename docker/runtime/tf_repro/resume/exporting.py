"""What is exported has the random ops that the script asked for, and needs nothing of ours.

Whoever loads a saved model elsewhere has no variables of ours for its random ops. So an op that
counts in one becomes the legacy op again, with the seeds that it had, in what is written.
"""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.resume import kernels

_SKIP = "RngReadAndSkip"


def as_asked(graph: Any) -> None:
    """Put legacy ops in the places of ours.

    Args:
        graph: a GraphDef, with its library of functions.
    """
    for nodes in (graph.node, *(function.node_def for function in graph.library.function)):
        by_name = {node.name: node for node in nodes}
        found = [(node, _counter(node, by_name)) for node in nodes if node.op in kernels.LEGACY]
        skips = {
            node.name for node in nodes if node.op == _SKIP and _counter(node, by_name) is not None
        }
        for node, counter in found:
            if counter is not None:
                _make_legacy(node, counter)
        for node in nodes:
            if node.name in skips:
                _make_constant(node)
            for number, name in enumerate(node.input):
                if name.partition(":")[0] in skips:  # of functions: the name of the output, too
                    node.input[number] = name.replace(":value:", ":output:")


def _data(node: Any) -> list[str]:
    return [name for name in node.input if not name.startswith("^")]


def _counter(node: Any, by_name: dict[str, Any]) -> "kernels.Counter | None":
    """Return what an op counts by: the variable that it is given, or that its state was read from.

    None where it is no op of ours.
    """
    for one in _before(node, by_name):
        if one.op == "VarHandleOp":
            return kernels.of_variable(one.attr["shared_name"].s.decode())
    return None


def _before(node: Any, by_name: dict[str, Any]) -> Iterator[Any]:
    """Yield what a state comes from: the key, its slice, the words, what was read, the variable."""
    is_given_one = node.op.startswith("Stateless")
    while node is not None:
        names = _data(node)[1 if is_given_one else 0 :]
        is_given_one = False
        node = by_name.get(names[0].partition(":")[0]) if names else None
        if node is not None:
            yield node


def _make_legacy(node: Any, counter: "kernels.Counter") -> None:
    op = kernels.LEGACY[node.op]
    inputs, controls = _data(node), [name for name in node.input if name.startswith("^")]
    kept = inputs[2:] if node.op == op.stateful else [inputs[0], *inputs[4:]]
    shape = _type(node, "shape_dtype" if node.op == op.stateful else "Tshape")
    made = _type(node, "dtype")
    node.op, node.device = op.legacy, ""
    node.input[:] = [*kept, *controls]
    node.attr.clear()
    _, seed2, seed = counter.own
    node.attr["seed"].i, node.attr["seed2"].i = seed, seed2
    node.attr["T"].type = shape
    node.attr[op.made].type = made


def _type(node: Any, name: str) -> int:
    """Return the type that an attribute has; one that is the op's default is not written."""
    from tensorflow.python.framework import op_def_registry  # noqa: PLC0415  # it exports

    if name in node.attr:
        return int(node.attr[name].type)
    attributes = op_def_registry.get(node.op).attr
    return next(int(one.default_value.type) for one in attributes if one.name == name)


def _make_constant(node: Any) -> None:
    """Have what nobody needs any more do nothing, and be there for who waits for it."""
    import tensorflow as tf  # noqa: PLC0415  # as above

    node.op, node.device = "Const", ""
    node.input[:] = [name for name in node.input if name.startswith("^")]
    node.attr.clear()
    node.attr["dtype"].type = tf.int64.as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto([0, 0, 0], tf.int64))


def _on_save(module: ModuleType) -> None:
    @patch.around(module, "_build_meta_graph")
    def build_meta_graph(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        made = original(*args, **kwargs)
        as_asked(made[0].graph_def)
        return made


ON_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "tensorflow.python.saved_model.save": _on_save
}
