"""Tests in real containers of the real image: built first, if it is not there."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from docker import DockerClient
from scripts import matrix
from scripts.build import build
from scripts.engine import containers, dockerd, engine
from scripts.engine.containers import Finished
from scripts.locks import debs, wheels
from scripts.locks.lock import DEBS_LOCK, REQUIREMENTS_LOCK
from scripts.places import IMAGES, REPO, data_root, exclusive
from tests.image import long
from tests.image.registries import Registry, unpack

# Programs that run in the image, one of them under the image's own pytest.
collect_ignore = ["stress"]

DERIVED = Path(__file__).parent / "derived"
CERTIFICATES = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
# Proxies of this machine's environment are the build's, too: buildx hands them on by these names.
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
Install = Callable[..., subprocess.CompletedProcess[str]]
# What teams add to the image: the tests that need more than TensorFlow run in this derived one.
LIBRARIES = (
    "distributed==2026.8.0 haikunator==2.1.0 ipykernel==6.29.5 opentelemetry-sdk==1.30.0"
    " pandas==2.2.3 pytest==8.3.4 pytest-xdist==3.6.1 scikit-learn==1.5.2"
)
LIBRARIES_NAME = "org/tf-repro-libraries:test"
TORCH = "torch==2.13.0+cpu"
TORCH_NAME = "org/tf-repro-torch:test"

# Releases beside the default with another Keras, NumPy and TensorFlow: the newest, and for
# `make test-all` the oldest, too.
OTHER_RELEASES = (
    ("2.12-cpu", "2.21-cpu") if os.environ.get("TEST_IMAGES") == "all" else ("2.21-cpu",)
)

# Derived images that are built once: who runs in one stays on the worker that made it.
SHARED = (
    *(
        "with_cpythons",
        "with_jupyter",
        "with_libraries",
        "with_notebooks",
        "with_others",
        "with_ray",
        "with_theirs",
    ),
    *("with_torch", "with_trackers"),
)

# Containers of the tests are not the kit's to sweep: see `containers.sweep`.
OWNER = f"tests of process {os.getpid()}"


@dataclass(frozen=True)
class RunInImage:
    """Runs programs in fresh containers of one image."""

    client: DockerClient
    image: str

    def __call__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        inputs: Sequence[Path] = (),
        outputs: Sequence[str] = (),
        settings: Mapping[str, object] | None = None,
    ) -> Finished:
        """Run `argv` in /work, with files copied in and out; see `containers.run`."""
        return containers.run(
            self.client,
            self.image,
            argv,
            env=env,
            inputs=inputs,
            outputs=outputs,
            owner=OWNER,
            settings=settings,
        )


@pytest.hookimpl(tryfirst=True)  # pytest-xdist's own reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out long tests; group the others by the derived image that they share."""
    long.leave_out(config, items)
    for item in items:
        for name in SHARED:
            if name in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group(name))


@pytest.fixture(scope="session")
def host() -> Iterator[engine.Engine]:
    with ExitStack() as stack:
        with exclusive():
            running = stack.enter_context(engine.connected())
        yield running


@pytest.fixture(scope="session")
def client(host: engine.Engine) -> Iterator[DockerClient]:
    yield host.client
    for container in host.client.containers.list(
        all=True, filters={"label": f"{containers.LABEL}={OWNER}"}
    ):
        container.remove(force=True)


@pytest.fixture(scope="session")
def built(host: engine.Engine) -> build.Built:
    with exclusive():
        return build.build(matrix.load().named("2.15-cpu"), host)


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that the tests of one worker share, each in repositories of its own."""
    folder = tmp_path_factory.mktemp("registry")
    with Registry(unpack(folder), folder / "data") as running:
        yield running


@pytest.fixture(scope="session")
def run_in_image(client: DockerClient, built: build.Built) -> RunInImage:
    return RunInImage(client, built.name)


@pytest.fixture(scope="session")
def run_in_release(host: engine.Engine, client: DockerClient) -> Callable[[str], RunInImage]:
    """Return a function that takes an image of the matrix, builds it if need be, and runs in it."""

    @functools.cache
    def run_in(tag: str) -> RunInImage:
        with exclusive():
            return RunInImage(client, build.build(matrix.load().named(tag), host).name)

    return run_in


@pytest.fixture(scope="session")
def install(host: engine.Engine, built: build.Built) -> Install:
    """Return a function that builds a derived image with one installing step, and tags it.

    Behind a proxy of a company, its certificate is mounted for that step (docs/build.md).
    """

    def install(
        command: str, name: str, context: Path = DERIVED
    ) -> subprocess.CompletedProcess[str]:
        proxies = [f"--build-arg={name}" for name in PROXIES if name in os.environ]
        argv: list[str | Path] = [
            *(*host.buildx, "build", "--progress=plain", "--no-cache", f"--tag={name}", "--load"),
            *(f"--build-arg=BASE={built.name}", f"--build-arg=INSTALL={command}", *proxies),
            *(f"--secret=id=ca,src={CERTIFICATES}", f"--file={DERIVED / 'Dockerfile'}", context),
        ]
        return subprocess.run(
            argv,
            env={**os.environ, **host.env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    return install


def derived(
    install: Install, client: DockerClient, command: str, name: str, context: Path = DERIVED
) -> Iterator[RunInImage]:
    """Yield a derived image, which is removed behind: the body of a fixture.

    Each worker's has a name of its own, so that none removes what another one runs in.
    """
    name += f"-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    done = install(command, name, context)
    assert done.returncode == 0, done.stdout
    yield RunInImage(client, name)
    client.images.remove(name, force=True)


@pytest.fixture(scope="session")
def with_libraries(install: Install, client: DockerClient) -> Iterator[RunInImage]:
    command = f"pip install --no-cache-dir {LIBRARIES}"
    yield from derived(install, client, command, LIBRARIES_NAME)


@pytest.fixture(scope="session")
def with_torch(
    install: Install, client: DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunInImage]:
    """The CPU build is on no default index, so that this machine's pip settings must lead to it."""
    wheels = tmp_path_factory.mktemp("torch")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    found = subprocess.run([*pip, "--python-version=3.11", "--dest", wheels, TORCH], check=False)
    if found.returncode != 0:
        pytest.skip(f"pip finds no {TORCH}: name an index that has it in PIP_EXTRA_INDEX_URL")
    command = f"pip install --no-cache-dir --find-links /mnt/context {TORCH}"
    yield from derived(install, client, command, TORCH_NAME, wheels)


def second_data_root(folder: Path, tag: str = "2.15-cpu") -> Path:
    """Make another data root that has an image's downloads already, in copies of its own."""
    root = folder / "data"
    home = IMAGES / tag
    locked = [
        *(debs.cached(deb) for deb in debs.read_lock(home / DEBS_LOCK)),
        *(wheels.cached(wheel) for wheel in wheels.read_lock(home / REQUIREMENTS_LOCK)),
    ]
    for path in locked:
        copy = root / path.relative_to(data_root())
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    if dockerd.private().files.is_dir():
        (root / "engine").mkdir()
        (root / "engine/root").symlink_to(dockerd.private().files)
    return root


def commit(folder: Path) -> None:
    """Make a folder a git repository, or add a commit to it, with everything that lies there."""
    who = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    for argv in (("init", "--quiet"), ("add", "--all"), (*who, "commit", "--quiet", "-mtest")):
        subprocess.run(["git", "-C", folder, *argv], check=True)


@dataclass(frozen=True)
class Kit:
    """The kit as its user has it: a command line, in this checkout or in another one."""

    checkout: Path = REPO

    def start(self, *argv: str, **env: str) -> subprocess.Popen[str]:
        """Start a verb in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "scripts", *argv],
            cwd=self.checkout,
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def __call__(self, *argv: str, **env: str) -> tuple[int, str]:
        """Run a verb; return its exit status and all that it said."""
        process = self.start(*argv, **env)
        output, _ = process.communicate(timeout=1200)
        return process.returncode, output


@pytest.fixture
def kit() -> Kit:
    return Kit()
