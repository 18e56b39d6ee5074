"""Begin a pipeline behind elements that were used, without making them again.

TensorFlow's own `skip` makes what it leaves out, but for files of records and datasets of datasets.
A map whose function is pure, and a batch, need nothing of what was before: so the place to skip is
below them, at what has a state to bring along, such as a shuffle, a cache or a filter.
"""

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

from tf_repro.draws import ops

# Of ops with a state, those that leave it as it is. An assertion has held for what was used before.
_READING = {
    *("Assert", "ReadVariableOp", "ResourceGather", "ResourceGatherNd", "VarHandleOp"),
    *("LookupTableFindV2", "LookupTableSizeV2"),
}

# Takes a dataset, and what is to be below the one that is like it.
Rebuilt = Callable[[Any, Sequence[Any]], Any]


@functools.cache
def _changes(kind: str) -> bool:
    """Return whether ops of a kind may change what lasts, or depend on more than they are given."""
    definition = sys.modules["tensorflow.python.framework.op_def_registry"].get(kind)
    stateful = definition is None or definition.is_stateful
    return stateful and kind not in _READING and not ops.calls(kind)


def _is_pure(function: Any) -> bool:
    return not ops.any_within(function.graph.get_operations(), _changes)


def _map(op: str, *attributes: str) -> Rebuilt:
    def rebuilt(dataset: Any, below: Sequence[Any]) -> Any:
        function = dataset._map_func.function
        variant = getattr(sys.modules["tensorflow"].raw_ops, op)(
            input_dataset=below[0]._variant_tensor,
            other_arguments=function.captured_inputs,
            f=function,
            **{name: getattr(dataset, f"_{name}") for name in attributes},
            **dataset._common_args,
        )
        of_variant = sys.modules["tensorflow.python.data.ops.dataset_ops"]._VariantDataset
        return of_variant(variant, dataset.element_spec)

    return rebuilt


def _batch(dataset: Any, below: Sequence[Any]) -> Any:
    parallel = getattr(dataset, "_num_parallel_calls", None)
    return below[0].batch(int(dataset._batch_size), bool(dataset._drop_remainder), parallel)


def _zip(dataset: Any, below: Sequence[Any]) -> Any:
    tensorflow = sys.modules["tensorflow"]
    return tensorflow.data.Dataset.zip(tensorflow.nest.pack_sequence_as(dataset._datasets, below))


_MAPPING = ("use_inter_op_parallelism", "preserve_cardinality")
# Kind of dataset -> what makes another one like it. An element of each is made of one element of
# those below it, or of so many.
_REBUILT: dict[str, Rebuilt] = {
    "_MapDataset": _map("MapDataset", *_MAPPING),
    "_ParallelMapDataset": _map(
        "ParallelMapDatasetV2", *_MAPPING, "num_parallel_calls", "deterministic"
    ),
    "_BatchDataset": _batch,
    "_ParallelBatchDataset": _batch,
    "_OptionsDataset": lambda _, below: below[0],
    "_PrefetchDataset": lambda dataset, below: below[0].prefetch(int(dataset._buffer_size)),
    "_ZipDataset": _zip,
}


def can_pass(dataset: Any) -> bool:
    """Return whether there is a part to skip that is below what makes a dataset's elements."""
    function = getattr(getattr(dataset, "_map_func", None), "function", None)
    return type(dataset).__name__ in _REBUILT and (function is None or _is_pure(function))


def skipped(dataset: Any, number: int) -> Any:
    """Return what gives the elements of a dataset that come after the first `number`.

    Args:
        dataset: one of eager TensorFlow's.
        number: of elements; those that it skips are made as it is first asked for one.
    """
    return _skipped(dataset, number).with_options(dataset.options())


def _skipped(dataset: Any, number: int) -> Any:
    if not can_pass(dataset):
        return dataset.skip(number)
    number *= int(getattr(dataset, "_batch_size", 1))
    below = [_skipped(each, number) for each in dataset._inputs()]
    return _REBUILT[type(dataset).__name__](dataset, below)
