# tf-repro: build, prove and publish the image family. `make help` shows what there is.

# The image that a verb is about: a table of images/matrix.toml, or all.
IMAGE ?= 2.15-cpu
# make's own options for a verb, as in `make image RELEASE=1`. VERBOSE=1 prints every command.
RELEASE ?=
VERBOSE ?=
# For publish: how layers are compressed in the registry, zstd or gzip.
COMPRESSION ?= zstd
# For changelog: two tags or digests in the registry.
FROM ?=
TO ?=

# For verify: the script, its arguments, how many runs, options of `tf-repro judge`, the reports;
# BISECT=1 finds the operation by one more pair of runs, if they part. JOBS run at the same time.
# ARGS and JUDGE are words as a shell splits them, quotes and all, and nothing in them is expanded.
SCRIPT ?=
ARGS ?=
RUNS ?= 3
JUDGE ?=
INTO ?= verified
BISECT ?=
JOBS ?= 1
# For verify and prove-cluster: how many containers train together, as the workers of TF_CONFIG.
WORKERS ?=
# For verify: a passport, with whose bits the runs must end; or how many runs are killed and started again.
GOLDEN ?=
INTERRUPT ?=
# For bisect: a tag with the bits that are right, and one with others.
GOOD ?=
BAD ?=

# For test-reach: SAMPLE=1 looks at a sample, for minutes; which processors are emulated, instead of all
# four, as in AS=EPYC; a file for all digests.
SAMPLE ?=
AS ?=
JSON ?=

# For sbom, sign, verify-signature: the folder of the artefacts; a key, private to sign, public to verify.
VOUCHED ?= vouched
KEY ?=

# What else the kit reads in its environment:
# - where images go and what they are called; empty means what images/matrix.toml says;
# - who builds: any of buildx's builders, as `docker buildx ls` lists them; empty means the engine;
# - where Debian packages come from, if not from this machine's apt: see docs/build.md;
# - where downloads and the private engine live; empty means ~/.cache/tf-repro;
# - who builds, in the provenance; the password of a private key;
# - for audit-cve, other addresses than Debian's and OSV's own, or a file of the tracker's data.
ENVIRONMENT := REGISTRY IMAGE_NAME BUILDER DEB_SOURCES DEB_ARCHIVE TF_REPRO_DATA BUILDER_ID \
	KEY_PASSWORD CVE_TRACKER CVE_OSV

# A value arrives as it was typed, whatever $, quotes, spaces and newlines it has. Without `value`
# make would expand it (and run a $(shell ...) in it); recipes take it out of the environment, where
# no shell reads it a second time.
GIVEN := IMAGE RELEASE VERBOSE COMPRESSION FROM TO SCRIPT ARGS RUNS JUDGE INTO BISECT JOBS WORKERS GOLDEN \
	ENGINES INTERRUPT GOOD BAD VOUCHED KEY SAMPLE AS JSON
$(foreach name,$(GIVEN) $(ENVIRONMENT),$(if $(filter-out undefined,$(origin $(name))),\
	$(eval override export $(name) := $$(value $(name)))))

KIT := .venv/bin/python -m scripts
VENV := .venv/.complete
# Most of a container's start is one thread's work. A worker takes what shares an image as a whole.
SIDE_BY_SIDE := --numprocesses 2 --dist loadgroup --maxschedchunk 1

SHELL_FILES := docker/steps/*.sh docker/bin/* scripts/*.sh tests/image/*/*.sh .ci/run examples/slurm/*.sbatch
# Found, not named: a workflow that is added is checked.
WORKFLOWS := $(wildcard .github/workflows/*.yml .github/workflows/*.yaml examples/ci/github.yml)
ACTION := $(wildcard action.yml)
GITLAB_CI := $(wildcard .gitlab-ci.yml)
ISSUE_FORMS := $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
DOCKERFILES := docker/Dockerfile $(wildcard .devcontainer/Dockerfile)

.DEFAULT_GOAL := help
.PHONY: help companions prove prove-cluster golden verify bisect image images sizes readme lock lock-image lock-kit rebuild-check sbom provenance sign sign-key verify-signature audit-cve publish changelog test test-unit test-image test-gpu test-cpython test-libraries test-companions test-reach test-all bench-startup bench-verify bench-pipelines bench-reach bench-resume lint lint-imports lint-workflows format engine-start engine-stop clean

help: ## Show this list.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-16s %s\n", $$1, $$2 }'

prove: $(VENV) ## Build an image and prove it: six trainings, weights compared bit by bit.
	@$(KIT) prove --image="$$IMAGE"

prove-cluster: $(VENV) ## The same on clusters of WORKERS=<number> (2) containers, whose workers train together.
	@$(KIT) prove-cluster --image="$$IMAGE" $(if $(WORKERS),--workers="$$WORKERS")

golden: $(VENV) ## Take down which bits the example gives in IMAGE=<tag> on this processor: images/<tag>/golden.json.
	@$(KIT) golden --image="$$IMAGE"

verify: $(VENV) ## Run SCRIPT=<file> ARGS=<shell words> several times in fresh containers: where and why do the runs part?
	@$(if $(SCRIPT),,$(error SCRIPT is empty: make verify SCRIPT=path/train.py))$(KIT) \
		$(if $(INTERRUPT),interrupt --count="$$INTERRUPT",verify --runs="$$RUNS") \
		--image="$$IMAGE" --arguments="$$ARGS" --judging="$$JUDGE" --into="$$INTO" \
		--jobs="$$JOBS" $(if $(BISECT),--bisect) \
		$(if $(WORKERS),--workers="$$WORKERS") $(if $(GOLDEN),--golden="$$GOLDEN") \
		$(if $(ENGINES),--engines="$$ENGINES") -- "$$SCRIPT"

bisect: $(VENV) ## Which image from GOOD=<tag> to BAD=<tag> is the first in which SCRIPT=<file> has other bits, and by which package?
	@$(if $(and $(SCRIPT),$(GOOD),$(BAD)),,$(error SCRIPT, GOOD or BAD is empty: make bisect \
		SCRIPT=path/train.py GOOD=2.15-cpu BAD=2.16-cpu))$(KIT) bisect --good="$$GOOD" --bad="$$BAD" \
		--arguments="$$ARGS" --into="$$INTO" -- "$$SCRIPT"

image: $(VENV) ## Build IMAGE=<tag>, or all of them; RELEASE=1 stops where a locked package is gone.
	@$(KIT) build --image="$$IMAGE" $(if $(RELEASE),--release)

images: $(VENV) ## Build all images of the matrix.
	@$(KIT) build --image all $(if $(RELEASE),--release)

companions: $(VENV) ## Ask the index what fits each release of what people put on the images: docs/companions.md.
	@$(KIT) companions

sizes: $(VENV) ## Measure IMAGE=<tag>, or all, on disk, and a plain installation of the same beside it.
	@$(KIT) sizes --image="$$IMAGE"

readme: $(VENV) ## Write images/README.md, the table of the family.
	@$(KIT) readme

lock: $(VENV) ## Resolve what images/matrix.toml asks for and write the locks of IMAGE=<tag>, or all.
	@$(KIT) lock --image="$$IMAGE"

lock-kit: $(VENV) ## Write requirements.lock, the kit's own environment, from pyproject.toml.
	@.venv/bin/python -m uv pip compile --quiet --upgrade --universal --generate-hashes \
		--no-emit-index-url --group dev --custom-compile-command "make lock-kit" \
		pyproject.toml --output-file requirements.lock

lock-image: $(VENV) ## Build IMAGE=<tag>, or all, and write which bytes it is into its image.lock.
	@$(KIT) lock-image --image="$$IMAGE"

rebuild-check: $(VENV) ## Build IMAGE=<tag> again, without any cache, and compare every byte.
	@$(KIT) rebuild-check --image="$$IMAGE"

sbom: $(VENV) ## Write the bills of materials of IMAGE=<tag>, or all, as SPDX and CycloneDX.
	@$(KIT) sbom --image="$$IMAGE" --into="$$VOUCHED"

provenance: $(VENV) ## Write how IMAGE=<tag>, or all, came to be: bills and SLSA provenance.
	@$(KIT) sign --image="$$IMAGE" --into="$$VOUCHED"

sign: $(VENV) ## Write bills and provenance of IMAGE=<tag>, or all, and sign them with KEY=<private key>.
	@$(if $(KEY),,$(error KEY is empty: make sign KEY=path/of/private.pem))$(KIT) sign \
		--image="$$IMAGE" --into="$$VOUCHED" --key="$$KEY"

sign-key: $(VENV) ## Make a key pair to sign with: KEY=<new file>, and KEY.pub beside it.
	@$(if $(KEY),,$(error KEY is empty: make sign-key KEY=path/of/new.pem))$(KIT) sign-key -- "$$KEY"

verify-signature: $(VENV) ## Before you use IMAGE=<tag>, here or in REGISTRY: did the owner of KEY=<public key> sign it?
	@$(if $(KEY),,$(error KEY is empty: make verify-signature KEY=path/of/public.pem.pub))$(KIT) \
		verify-signature --image="$$IMAGE" --into="$$VOUCHED" --key="$$KEY"

audit-cve: $(VENV) ## Known vulnerabilities in IMAGE=<tag>, or all; Error 1: some, Error 3: not all could be asked.
	@$(KIT) audit-cve --image="$$IMAGE"

publish: $(VENV) ## Push IMAGE=<tag>, or all, to REGISTRY=<host>: its locks' bytes, or nothing.
	@$(KIT) publish --image="$$IMAGE" --compression="$$COMPRESSION" $(if $(KEY),--key="$$KEY")

changelog: $(VENV) ## What changed between two images in REGISTRY=<host>: FROM=<tag> TO=<tag>.
	@$(if $(and $(FROM),$(TO)),,$(error FROM or TO is empty: make changelog FROM=tag TO=tag))$(KIT) \
		changelog -- "$$FROM" "$$TO"

test: lint test-unit test-image ## Everything: lint, unit tests, then tests in containers.

test-unit: $(VENV) ## The tests that need no engine: seconds.
	@.venv/bin/python -m pytest tests/unit --numprocesses 2

test-image: $(VENV) ## The tests in real containers: builds the image first, if need be.
	@.venv/bin/python -m pytest tests/image -m "not alone" $(SIDE_BY_SIDE)
	@$(MAKE) --no-print-directory test-gpu
	@.venv/bin/python -m pytest tests/image -m alone

test-gpu: $(VENV) ## The tests on a GPU; where there is none they are skipped, with the reason.
	@.venv/bin/python -m pytest tests/gpu

test-cpython: $(VENV) ## CPython's own tests, with us and without: what fails in one and not in the other?
	@TEST_OTHERS=all .venv/bin/python -m pytest tests/image/test_others.py -rP -k cpython

test-libraries: $(VENV) ## The same with the tests of NumPy's random, joblib and scikit-learn's utils.
	@TEST_OTHERS=all .venv/bin/python -m pytest tests/image/test_others.py -rP -k library

# TEST_COMPANIONS=record writes what is seen into images/companions.toml.
test-companions: $(VENV) ## Install what people put on images, each on its own, in IMAGE=<tag>: does everything work?
	@TEST_COMPANIONS="$${TEST_COMPANIONS:-all}" TEST_COMPANIONS_IMAGE="$$IMAGE" \
		.venv/bin/python -m pytest tests/image/test_companions.py -rP

test-reach: $(VENV) ## Do other processors, emulated, give the same bits in IMAGE=<tag>, op by op? An hour; JOBS=, SAMPLE=1, AS=, JSON=<file>.
	@$(KIT) reach --image="$$IMAGE" --jobs="$$JOBS" --as="$$AS" $(if $(SAMPLE),--sample) $(if $(JSON),--json="$$JSON")

test-all: $(VENV) ## Build and test all images of the matrix, one after the other; needs hours.
	@STRESS_SECONDS=300 .venv/bin/python -m pytest -rP tests/image/test_forks.py
	@TEST_IMAGES=all .venv/bin/python -m pytest tests/image/test_draws.py tests/image/test_sources.py \
		tests/image/test_verify_planted.py
	@TEST_LIBRARIES=all .venv/bin/python -m pytest tests/image/test_identities.py
	@TEST_TEAMS=all .venv/bin/python -m pytest tests/image/test_action.py tests/image/test_notebooks.py
	@TEST_RESUME=all .venv/bin/python -m pytest tests/image/test_resume.py
	@TEST_CLUSTER=all .venv/bin/python -m pytest -rP tests/image/test_cluster.py tests/image/test_ray_dask.py \
		tests/image/test_slurm.py tests/image/test_swarm.py
	@TEST_LONG=only .venv/bin/python -m pytest tests/image
	@$(MAKE) --no-print-directory test-cpython test-libraries
	@TEST_COMPANIONS=all .venv/bin/python -m pytest -rP tests/image/test_companions.py
	@TEST_IMAGES=all TEST_REMOVE=1 .venv/bin/python -m pytest tests/image/test_family.py

bench-startup: $(VENV) ## What the runtime adds to a start of Python, side by side in IMAGE=<tag>.
	@$(KIT) bench startup --image="$$IMAGE"

bench-verify: $(VENV) ## What recording adds to a step of ResNet-50, side by side in IMAGE=<tag>.
	@$(KIT) bench recording --image="$$IMAGE"

bench-pipelines: $(VENV) ## What drawing by key costs pipelines that augment, side by side in IMAGE=<tag>.
	@$(KIT) bench pipelines --image="$$IMAGE"

bench-reach: $(VENV) ## What each reach costs a training step, by the size of the pools, side by side in IMAGE=<tag>.
	@$(KIT) bench reach --image="$$IMAGE"

bench-resume: $(VENV) ## What resuming costs a start, a step and a checkpoint, side by side in IMAGE=<tag>.
	@$(KIT) bench resume --image="$$IMAGE"

lint: $(VENV) lint-imports $(if $(WORKFLOWS),lint-workflows) ## Types, style, who imports whom, Dockerfile, shell and workflows.
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy scripts docker/battery docker/runtime tests action examples/clusters/tf_config.py
	@.venv/bin/hadolint $(DOCKERFILES)
	@.venv/bin/shellcheck $(SHELL_FILES)
	@.venv/bin/shfmt --diff --indent 4 $(SHELL_FILES)
	@$(if $(GITLAB_CI),.venv/bin/check-jsonschema --quiet --builtin-schema vendor.gitlab-ci \
		--data-transform gitlab-ci $(GITLAB_CI))
	@$(if $(ISSUE_FORMS),.venv/bin/check-jsonschema --quiet \
		--builtin-schema vendor.github-issue-forms $(ISSUE_FORMS))

# From the runtime's folder, so that it is found: on PYTHONPATH its sitecustomize would start, too.
lint-imports: $(VENV)
	@cd docker/runtime && said=$$(PYTHONPATH="$(CURDIR)" "$(CURDIR)/.venv/bin/lint-imports" \
		--no-cache --no-logo "$(CURDIR)/pyproject.toml") || { echo "$$said"; exit 1; }

lint-workflows: $(VENV)
	@PATH="$(CURDIR)/.venv/bin:$$PATH" .venv/bin/actionlint $(WORKFLOWS)
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows $(WORKFLOWS)
	@$(if $(ACTION),.venv/bin/check-jsonschema --quiet --builtin-schema vendor.github-actions $(ACTION))
	@.venv/bin/zizmor --quiet --offline --no-progress $(WORKFLOWS) $(ACTION)

format: $(VENV) ## Put the Python and the shell into shape.
	@.venv/bin/ruff format
	@.venv/bin/ruff check --fix
	@.venv/bin/shfmt --write --indent 4 $(SHELL_FILES)

engine-start: $(VENV) ## Make sure that a Docker engine answers; start a private one if none does.
	@$(KIT) engine-start

engine-stop: $(VENV) ## End the private engine, if one runs; its images stay for the next time.
	@$(KIT) engine-stop

clean: $(VENV) ## End the private engine and delete its images and every download.
	@$(KIT) clean

$(VENV): requirements.lock scripts/bootstrap.sh
	@sh scripts/bootstrap.sh
