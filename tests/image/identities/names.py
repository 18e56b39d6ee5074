"""What libraries name things, one function for each row of the tables IDENTITIES and LEFT_RANDOM.

Usage: names.py (with|without) MODULE... Prints, as JSON, the name that each module draws, and what the
script itself draws from `random` afterwards. `without` takes the rows out of the runtime first.
"""

import contextlib
import importlib
import json
import random
import sys
import types

from tf_repro import hooks
from tf_repro.sources.random import LEFT_RANDOM

NAMES = {}


def names(module):
    def put(function):
        NAMES[module] = function
        return function

    return put


@names("email.generator")
def boundary(module):
    return module.Generator._make_boundary()


@names("email.utils")
def message_id(module):
    return module.make_msgid(domain="example.org").split(".")[2].partition("@")[0]


@names("imaplib")
def tag(module):
    imap = types.SimpleNamespace(
        **dict.fromkeys(("_mode_ascii", "open", "_get_capabilities"), lambda *_: None),
        _get_response=lambda: None, _cmd_log_len=0, _cmd_log={}, capabilities=("IMAP4REV1",),
        untagged_responses={}, PROTOCOL_VERSION="IMAP4REV1",
    )  # fmt: skip
    with contextlib.suppress(Exception):  # it has its tag by now, and no server
        module.IMAP4._connect(imap)
    # One of 61440 is too few to tell two containers apart.
    return f"{imap.tagpre!r} {module.random.getrandbits(64)}"


@names("uuid")
def node(module):
    return f"{module._random_getnode()} {module.uuid1(1).clock_seq}"


NAMES["comet_ml.error_tracking.api"] = lambda it: it.random.random()
NAMES["rich.style"] = lambda it: next(it._id_generator)
NAMES["pytest_randomly"] = lambda it: it.make_seed()
NAMES["comet_ml.utils"] = lambda it: it.random_ascii_string(12)
NAMES["coolname"] = lambda it: " ".join(it.generate_slug(4) for _ in range(2))
NAMES["dvc.repo.experiments.utils"] = lambda it: it.gen_random_name() + it.gen_random_name()
NAMES["haikunator.haikunator"] = lambda it: it.Haikunator().haikunate(token_length=9)
NAMES["jupyter_server.auth.utils"] = lambda it: str([it.get_anonymous_username() for _ in range(9)])
NAMES["keras_tuner.src.engine.trial"] = lambda it: it.random.randint(1, int(1e7))
NAMES["mlflow.tracing.provider"] = lambda it: it._IsolatedRandomIdGenerator().generate_trace_id()
NAMES["mlflow.utils.name_utils"] = lambda it: it._generate_random_name(max_length=40)
NAMES["names_generator"] = lambda it: it.generate_name() + it.generate_name()
NAMES["neptune.internal.operation_processors.utils"] = lambda it: it.random_key(9)
NAMES["opentelemetry.sdk.trace.id_generator"] = lambda it: (
    f"{it.RandomIdGenerator().generate_span_id()} {it.RandomIdGenerator().generate_trace_id()}"
)
NAMES["randomname.util"] = lambda it: str([it.rng.random(), it.rng.choice(range(99999))])
NAMES["dask.sizeof"] = lambda it: it.random.getrandbits(64)
NAMES["distributed.scheduler"] = lambda it: it.random.getrandbits(64)
NAMES["distributed.worker"] = lambda it: it.random.getrandbits(64)
NAMES["ray._common.utils"] = lambda it: it.get_random_alphanumeric_string(12)
NAMES["ray._private.event.event_logger"] = lambda it: it.get_event_id()
NAMES["ray._private.event.export_event_logger"] = lambda it: it.generate_event_id()
NAMES["ray._private.gcs_pubsub"] = lambda it: it._SubscriberBase()._subscriber_id.hex()
NAMES["ray._private.external_storage"] = lambda it: it.random.getrandbits(64)
NAMES["ray._raylet"] = lambda it: it.random.getrandbits(64)
NAMES["ray.serve._private.utils"] = lambda it: it.generate_request_id()
NAMES["unique_names_generator.generator"] = lambda it: "".join(it.get_random_name() for _ in "abc")
NAMES["wandb.sdk.lib.runid"] = lambda it: it.generate_fast_id(12)
NAMES["jupyter_server.auth.security"] = lambda it: it.passwd("x", "sha1")
NAMES["jupyter_server.serverapp"] = lambda it: str(list(it.random_ports(8888, 50)))
NAMES["ray._private.node"] = lambda it: it.random.randint(1, 10**9)
NAMES["gunicorn.arbiter"] = lambda it: it.random.random()
NAMES["gunicorn.workers.base"] = lambda it: it.randint(0, 10**9)
NAMES["mlflow.server.jobs.lock_manager"] = lambda it: it.random.uniform(0, 1)
NAMES["mlflow.store.tracking.sqlalchemy_store"] = lambda it: it.random.uniform(0, 1)
NAMES["optuna.storages._rdb.storage"] = lambda it: it.random.random()


@names("tensorboard.notebook")
def frame(module):
    shown = []
    display = types.ModuleType("IPython.display")
    display.HTML, display.display = str, shown.append
    sys.modules["IPython"], sys.modules["IPython.display"] = types.ModuleType("IPython"), display
    sys.modules["IPython"].display = display
    module._display_ipython(port=1, height=1, display_handle=None)
    return shown[0].partition("tensorboard-frame-")[2][:16]


NAMES["backoff._jitter"] = lambda it: it.full_jitter(1)
NAMES["botocore.retries.standard"] = lambda it: it.ExponentialBackoff()._random()
NAMES["botocore.retryhandler"] = lambda it: it.delay_exponential("rand", 2, 1)
NAMES["distributed.comm.core"] = lambda it: it.random.uniform(0, 1)
NAMES["distributed.utils_comm"] = lambda it: it.random.random()
NAMES["gcsfs.retry"] = lambda it: it.random.random()
NAMES["google.api_core.retry.retry_base"] = lambda it: next(it.exponential_sleep_generator(1, 9))
NAMES["google.auth._exponential_backoff"] = lambda it: it.ExponentialBackoff()._calculate_jitter()
NAMES["ray._common.retry"] = lambda it: it.random.uniform(0.8, 1.2)
NAMES["redis.backoff"] = lambda it: it.FullJitterBackoff().compute(3)
NAMES["tenacity.wait"] = lambda it: it.wait_random(0, 1)(None)
NAMES["tensorboard.util.grpc_util"] = lambda it: it._compute_backoff_seconds(1)


@names("urllib3.util.retry")
def retry(module):
    history = (module.RequestHistory(None, None, None, 500, None),) * 3
    return module.Retry(9, backoff_factor=1, backoff_jitter=1, history=history).get_backoff_time()


NAMES["wandb.sdk.lib.retry"] = lambda it: it.random.random()


def without(modules):
    """Take out the rows of these modules, and all others of their libraries."""
    libraries = tuple(f"{module.partition('.')[0]}." for module in modules)
    for table in (hooks._armed, LEFT_RANDOM):
        for name in [name for name in table if f"{name}.".startswith(libraries)]:
            del table[name]


def main():
    with_rows, *modules = sys.argv[1:]
    if with_rows == "without":
        without(modules)
    drawn = {module: str(NAMES[module](importlib.import_module(module))) for module in modules}
    print(json.dumps({"drawn": drawn, "script": random.random()}))


if __name__ == "__main__":
    main()
