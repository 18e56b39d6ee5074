"""A tf.function that draws, called within another: each call draws numbers of its own.

A trace has the seeds of its ops in it, and each place that calls it runs a copy of the trace: two
calls of one function would draw the same numbers. So a function that draws is traced anew for each
call within a graph. Those that do not draw share their traces, as ever.
"""

import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tf_repro import patch
from tf_repro.draws import keys, ops

# Functions that have been traced and do not draw.
_quiet: "weakref.WeakSet[Any]" = weakref.WeakSet()
# Attribute of a calling graph: the functions that were traced for calls in it, which it needs to
# live. A table of graphs would keep each of them for ever, as theirs are within it.
_TRACED = "_tf_repro_traced"


def _draws(function: Any) -> bool:
    graphs = [concrete.graph for concrete in function._list_all_concrete_functions()]
    return any(keys.is_drawing(graph) or ops.graph_draws(graph) for graph in graphs)


def on_function(module: ModuleType) -> None:
    """Trace a function that draws anew for each call of it within another."""
    function = module.Function

    @patch.around(module, "Function.__call__")
    def call(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
        # A loaded function has the seeds that it was saved with.
        if module.context.executing_eagerly() or type(self) is not function:
            return original(self, *args, **kwargs)
        if self in _quiet:
            result = original(self, *args, **kwargs)
            if _draws(self):  # in a later trace, with training=True perhaps
                _quiet.discard(self)
            return result
        traced = self._clone(None)
        graph = module.ops.get_default_graph()
        setattr(graph, _TRACED, [*getattr(graph, _TRACED, ()), traced])
        result = original(traced, *args, **kwargs)
        if not _draws(traced):
            _quiet.add(self)
        return result
