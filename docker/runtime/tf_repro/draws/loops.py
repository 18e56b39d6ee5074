"""TensorFlow's loops in graphs: an op that draws takes one iteration after the other.

Up to ten iterations of a loop run at once, and race for the state of an op that draws; TensorFlow
leaves these ops out of its automatic control dependencies. A loop with such an op in it, at any
depth, gets one iteration at a time. All others keep theirs.
https://github.com/tensorflow/tensorflow/blob/v2.15.1/tensorflow/python/framework/auto_control_deps.py#L56
"""

import inspect
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.draws import ops


def on_while_v2(module: ModuleType) -> None:
    """Give a loop that draws one iteration at a time."""

    @patch.around(module, "_build_while_op")
    def build_while_op(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        bound = inspect.signature(original).bind(*args, **kwargs)
        graphs = bound.arguments["cond_graph"], bound.arguments["body_graph"]
        if any(ops.any_within(graph.get_operations(), ops.draws) for graph in graphs):
            bound.arguments["parallel_iterations"] = 1
        return original(*bound.args, **bound.kwargs)


def on_control_flow_ops(module: ModuleType) -> None:
    """The same for loops of TF 1, which are built of single ops."""

    @patch.around(module, "WhileContext.BuildLoop")
    def build_loop(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
        graph = module.ops.get_default_graph()
        before = len(graph.get_operations())
        result = original(self, *args, **kwargs)
        operations = graph.get_operations()[before:]
        if ops.any_within(operations, ops.draws):
            _one_at_a_time(module, operations)
        return result


def _one_at_a_time(module: ModuleType, operations: Iterable[Any]) -> None:
    one = module.attr_value_pb2.AttrValue(i=1)
    for op in operations:
        if op.type in ("Enter", "RefEnter"):
            op._set_attr("parallel_iterations", one)
