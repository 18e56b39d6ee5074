"""What is in the image, and under which circumstances it works."""

import json

import pytest

from docker import DockerClient
from scripts import matrix
from scripts.build.build import Built
from scripts.locks.wheels import read_lock
from scripts.places import IMAGES
from tests.image.conftest import RunInImage

# What a pod may do at most, with a root that is read-only and little of everything; RuntimeDefault
# is the engine's own seccomp profile, and that is in force anyway.
# https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
RESTRICTED = {
    "user": "12345:0",
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "pids_limit": 32,
    "mem_limit": "1g",
}
TRAIN_A_STEP = """
import tensorflow as tf
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
print(model.fit(tf.ones((8, 4)), tf.ones((8, 1)), verbose=0).history["loss"][0])
"""


def test_labels(client: DockerClient, built: Built) -> None:
    labels = client.images.get(built.name).labels
    family = matrix.load().family
    assert labels["org.opencontainers.image.title"] == family.title
    assert labels["org.opencontainers.image.version"] == "2.15.1"
    assert labels["org.opencontainers.image.source"] == family.source
    assert labels["org.opencontainers.image.licenses"] == family.licences
    assert labels["org.opencontainers.image.base.name"] == "debian:bookworm"
    assert len(labels["org.opencontainers.image.revision"].removesuffix("-dirty")) == 40
    assert labels["tf-repro.tensorflow"] == "2.15.1"
    assert labels["tf-repro.python"] == "3.11"
    assert labels["tf-repro.cuda"] == labels["tf-repro.cudnn"] == "none"


def test_all_tags_are_one_image(client: DockerClient, built: Built) -> None:
    assert {name.split(":")[-1].removesuffix("-drifted") for name in built.names} == {
        "2.15-cpu",
        "2.15.1-cpu",
    }
    assert len({client.images.get(name).id for name in built.names}) == 1


def test_environment(run_in_image: RunInImage) -> None:
    done = run_in_image(["python", "-c", "import json, os; print(json.dumps(dict(os.environ)))"])
    env = json.loads(done.stdout)
    assert env["TF_DETERMINISTIC_OPS"] == "1"
    assert env["PYTHONHASHSEED"] == "042"
    assert env["PATH"].startswith("/opt/venv/bin:")


def test_it_holds_exactly_what_the_lock_names(run_in_image: RunInImage) -> None:
    done = run_in_image(["python", "-m", "pip", "list", "--format=json"])
    installed = {
        row["name"].lower().replace("_", "-"): row["version"] for row in json.loads(done.stdout)
    }
    locked = read_lock(IMAGES / "2.15-cpu/requirements.lock")
    wheels = {wheel.name: wheel.version for wheel in locked}
    # The other name of the locked wheel is metadata of the kit's own.
    assert installed == {**wheels, "tensorflow": wheels["tensorflow-cpu"]}
    assert run_in_image(["python", "-m", "pip", "check"]).exit_code == 0


def test_it_holds_no_cache_no_list_and_no_log(run_in_image: RunInImage) -> None:
    places = "/root/.cache /var/lib/apt/lists /var/cache/apt/archives /var/log /tmp /mnt"
    # Empty files are locks of dpkg's and apt's own, and lastlog, btmp and the like.
    find = f"find {places} -type f -size +0 2>/dev/null"
    assert run_in_image(["bash", "-c", find]).stdout.split() == []


def test_nothing_in_it_is_younger_than_the_epoch(run_in_image: RunInImage) -> None:
    epoch = matrix.load().family.source_date_epoch
    find = f"find / -xdev -newermt @{epoch} -type f ! -path '/etc/host*' ! -path /etc/resolv.conf"
    assert run_in_image(["bash", "-c", find]).stdout.split() == ["/.dockerenv"]


def test_tensorboard_starts(run_in_image: RunInImage) -> None:
    """It imports pkg_resources, which newer releases of setuptools have left out."""
    done = run_in_image(["tensorboard", "--version"])
    assert done.exit_code == 0, done.stderr


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"user": "12345:54321"},
        {"read_only": True, "tmpfs": {"/tmp": ""}},
        RESTRICTED,
    ],
    ids=["root", "any uid", "read-only", "as Kubernetes' restricted standard has it"],
)
def test_it_trains_without_a_network_as(
    settings: dict[str, object], run_in_image: RunInImage
) -> None:
    done = run_in_image(["python", "-c", TRAIN_A_STEP], settings=settings)
    assert done.exit_code == 0, done.stderr
    assert float(done.stdout) > 0


def test_a_wrong_setting_is_one_clear_line(run_in_image: RunInImage) -> None:
    for env in ({"TF_REPRO": "yes"}, {"TF_REPRO_SEED": "-1"}):
        done = run_in_image(["python", "-c", "print('ran')"], env=env)
        (name,) = env
        assert done.exit_code != 0
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1
        assert name in done.stderr


def test_the_users_own_environments_work_as_ever(run_in_image: RunInImage) -> None:
    """A venv has its own packages, and what decides bits is armed in it too."""
    script = "python -m venv /tmp/v && /tmp/v/bin/python -c 'import random; print(random.random())'"
    first, second = (run_in_image(["bash", "-c", script]) for _ in range(2))
    assert first.exit_code == 0, first.stderr
    assert first.stdout == second.stdout
    off = run_in_image(["bash", "-c", script], env={"TF_REPRO": "off"})
    assert off.stdout != first.stdout
