"""The manifests for Kubernetes: valid by the schemas of a release, hardened, and a cluster.

No server is asked: what they do when they run is not seen here.
"""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import kubernetes_validate
import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from scripts.places import REPO

FOLDER = REPO / "examples/kubernetes"
PROGRAM = REPO / "examples/clusters/tf_config.py"
RELEASE = "1.37.0"
Manifest = dict[str, Any]

SERVICE, JOB = yaml.safe_load_all((FOLDER / "job.yaml").read_text())
TFJOB = yaml.safe_load((FOLDER / "tfjob.yaml").read_text())
TFJOB_POD = TFJOB["spec"]["tfReplicaSpecs"]["Worker"]["template"]["spec"]
PODS = {"job": JOB["spec"]["template"]["spec"], "tfjob": TFJOB_POD}


class Strict(BaseModel):
    """Takes the fields that it names, as Kubernetes spells them, and no other."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class RunPolicy(Strict):
    """How long a job may run, and what is left of it."""

    backoff_limit: int
    active_deadline_seconds: int
    clean_pod_policy: str


class Replicas(Strict):
    """The workers; a pod's template is Kubernetes' own."""

    replicas: int
    restart_policy: str
    template: dict[str, Any]


class TFJobSpec(Strict):
    """A job."""

    run_policy: RunPolicy
    replicas: dict[str, Replicas] = Field(alias="tfReplicaSpecs")


class TFJob(Strict):
    """What we use of the operator's own definition.

    https://github.com/kubeflow/training-operator/blob/07a4a89697d80501695ae59f2d9a22aa27fd5044/manifests/base/crds/kubeflow.org_tfjobs.yaml
    """

    api_version: str
    kind: str
    metadata: dict[str, str]
    spec: TFJobSpec


def check(manifest: Manifest) -> None:
    kubernetes_validate.validate(manifest, RELEASE, strict=True)


def as_pod(spec: Manifest) -> Manifest:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "train"}, "spec": spec}


@pytest.mark.parametrize("manifest", [SERVICE, JOB, as_pod(TFJOB_POD)])
def test_they_are_valid(manifest: Manifest) -> None:
    check(manifest)


def unknown(job: Manifest) -> None:
    job["spec"]["template"]["spec"]["imagePull"] = "Always"


def wrong_type(job: Manifest) -> None:
    job["spec"]["completions"] = "two"


@pytest.mark.parametrize("mistake", [unknown, wrong_type])
def test_a_mistake_is_found(mistake: Callable[[Manifest], None]) -> None:
    job = copy.deepcopy(JOB)
    mistake(job)
    with pytest.raises(kubernetes_validate.ValidationError):
        check(job)


def test_the_operators_own_fields() -> None:
    TFJob.model_validate(TFJOB)
    other = copy.deepcopy(TFJOB)
    other["spec"]["tfReplicaSpecs"]["Worker"]["replica"] = 2
    with pytest.raises(ValidationError):
        TFJob.model_validate(other)
    # It looks for a container of this name, and takes others for what stands beside it.
    assert [one["name"] for one in TFJOB_POD["containers"]] == ["tensorflow"]


@pytest.mark.parametrize("pod", PODS.values(), ids=PODS)
def test_they_are_hardened(pod: Manifest) -> None:
    """As the profile `restricted` wants it, and a bit more.

    https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    """
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"] == container["resources"]["requests"]
    assert re.fullmatch(r"registry\.example/.+@sha256:[0-9a-f]{64}", container["image"])
    mounted = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    assert {mounted[volume["name"]] for volume in pod["volumes"]} == {"/work", "/tmp"}
    assert container["workingDir"] == "/work"


def test_each_pod_is_told_which_worker_it_is() -> None:
    """The arguments of the manifest, as Kubernetes gives them to a pod, and the names it has."""
    spec = JOB["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    (index,) = container["env"]
    assert index["valueFrom"]["fieldRef"]["fieldPath"] == (
        "metadata.annotations['batch.kubernetes.io/job-completion-index']"
    )
    service = SERVICE["metadata"]["name"]
    assert spec["template"]["spec"]["subdomain"] == service
    assert SERVICE["spec"]["selector"] == {"batch.kubernetes.io/job-name": JOB["metadata"]["name"]}
    (port,) = SERVICE["spec"]["ports"]
    pods = [f"{JOB['metadata']['name']}-{n}.{service}" for n in range(spec["completions"])]
    arguments = container["args"][: container["args"].index("--")]
    for number in range(spec["parallelism"]):
        argv = [one.replace(f"$({index['name']})", str(number)) for one in arguments]
        told = subprocess.run(
            [sys.executable, PROGRAM, *argv],
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(told.stdout) == {
            "cluster": {"worker": [f"{pod}:{port['port']}" for pod in pods]},
            "task": {"type": "worker", "index": number},
        }
