# Everything a person does here. `make help` lists it.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
SOURCES := cli registry operator serving examples dev bench tests

# Where it is set (for the sake of images, often), each process here would compile everything anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup prepare check lint test unit contract integration e2e soak demo demo-down cluster-up cluster-down images lock sbom audit proto picture format chart bench-serving bench-flavors bench-scale bench-rollout

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## a cluster, MLflow in it, and an alias that moves live traffic (cold: 8 to 20 min, warm: 3); STRATEGY=Canary
	@dev/demo up $(addprefix --strategy=,$(STRATEGY))

demo-down: ## delete what the demo made; the cluster stays
	@dev/demo down

WORKERS ?= 4
test: setup ## every tier side by side, on a real cluster (cold: 20 to 45 min, warm: 15 to 30)
	@$(MAKE) --no-print-directory --jobs=2 lint prepare
	$(BIN)/pytest tests --numprocesses=$(WORKERS) --cov --cov-report=json:out/coverage.json $(PYTEST_ARGS)

check: setup ## lint and the unit tests, side by side: under half a minute
	@$(MAKE) --no-print-directory --jobs=2 --output-sync lint unit PYTEST_ARGS="-q $(PYTEST_ARGS)"

lint: setup ## ruff, mypy --strict, import rules
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

unit: ## one tier: decisions and codecs in memory
contract: ## one tier: two places that must agree, such as chart and kustomize, code and docs
integration: ## one tier: processes with a real API server, MLflow and S3 (4 side by side: PYTEST_ARGS="-n 4")
e2e: ## one tier: pods and traffic on the cluster. Single tests, of any tier: make e2e PYTEST_ARGS="-k drain"
unit contract integration e2e: setup
	$(BIN)/pytest tests/$@ $(PYTEST_ARGS)

bench-serving: setup ## our server and its peers on one core, into docs/ (first 5, then 16 min); BENCH_ARGS="--rounds 1"
	PYTHONPATH=dev $(BIN)/python -m bench.serving $(BENCH_ARGS)

bench-flavors: setup ## one row by our adapters and by MLflow's pyfunc, into docs/serving.md (1 min)
	PYTHONPATH=tests/support:dev $(BIN)/python -m bench.flavors

SIZES ?= 100 1000
bench-scale: setup ## fleets of ModelDeployments on a control plane with KWOK's pods, into docs/scale.md (20 min)
	PYTHONPATH=tests/support:dev $(BIN)/python -m bench.scale $(SIZES)

bench-rollout: setup ## seconds from an alias to its answers on the cluster, into docs/ (12 min)
	PYTHONPATH=tests/support:dev $(BIN)/python -m bench.rollout $(BENCH_ARGS)

soak: setup ## minutes of idleness and of chaos; the table goes into docs/reliability.md (20 min)
	PYTHONPATH=tests:tests/support:dev $(BIN)/python -m soak $(SOAK_ARGS)

prepare: ## build programs and images that the cluster and the tests need, side by side
	@dev/cluster prepare

cluster-up: ## a local two-node cluster, or kind where Docker runs (PENNANT_CLUSTER=kind|local)
	@dev/cluster up

cluster-down: ## take the cluster away; leaves nothing behind
	@dev/cluster down

images: ## build the four images
	@dev/images build

setup: $(STAMP) ## the locked environment in .venv; whatever needs it makes it

$(STAMP): requirements/dev.txt pyproject.toml
	@echo "installing the locked development environment into .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check uv==0.13.8
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

format: setup ## let ruff rewrite
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

SBOM_ARGS ?=
sbom: setup ## bills of materials of the images, from their locks, into out/sbom
	PYTHONPATH=dev $(BIN)/python -m pennant_dev.sbom $(SBOM_ARGS)

AUDITED ?= operator serving-boosters mlflow image-tools
audit: setup ## known vulnerabilities of the images' packages; asks an advisory service
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python out/audit
	$(BIN)/uv pip sync --quiet --require-hashes --python out/audit requirements/audit.txt
	@failed=0; for lock in $(AUDITED); do echo "$$lock"; out/audit/bin/pip-audit $(AUDIT_ARGS) --strict --disable-pip \
	  --require-hashes --progress-spinner off --requirement requirements/$$lock.txt || failed=1; done; exit $$failed

chart: ## copy definitions and rights from manifests/ into the Helm chart
	cp manifests/crd/model*.yaml manifests/crd/rolloutactions.yaml charts/pennant/files/crd/
	cp manifests/crd/users.yaml manifests/base/clusterrole.yaml manifests/base/role.yaml charts/pennant/files/rbac/
	cp manifests/actor-policy/policy.yaml charts/pennant/files/policy/actor.yaml
	cp manifests/monitoring/monitors.yaml manifests/monitoring/rules.yaml charts/pennant/files/monitoring/
	cp manifests/monitoring/dashboards/*.json charts/pennant/files/dashboards/

picture: setup ## draw docs/architecture.svg from docs/architecture.toml
	PYTHONPATH=dev $(BIN)/python -m pennant_dev.floor_plan

PROTO := serving/pennant_serving/grpc
proto: setup ## compile the gRPC protocol's messages
	$(BIN)/python -m grpc_tools.protoc -I $(PROTO) --descriptor_set_out $(PROTO)/protocol.binpb $(PROTO)/protocol.proto $(PROTO)/health.proto

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url
BOOSTERS := --extra serving --extra traces --extra xgboost --extra lightgbm --extra onnx
# What serving and MLflow's server want in two versions, and what only one of these needs.
APART := --no-emit-package python-dateutil --no-emit-package tzdata
AS_SHARED := --constraints requirements/shared.txt
lock: setup ## renew the hash-pinned locks: of each image, of .venv, of the benchmark's peers
	$(LOCK) --group image-tools -o requirements/image-tools.txt
	$(LOCK) --extra operator pyproject.toml -o requirements/operator.txt
	$(LOCK) --group shared $(APART) -o requirements/shared.txt
	$(LOCK) $(AS_SHARED) --extra serving --extra traces pyproject.toml -o requirements/serving.txt
	$(LOCK) $(AS_SHARED) $(BOOSTERS) pyproject.toml -o requirements/serving-boosters.txt
	$(LOCK) $(AS_SHARED) --extra serving --extra traces --extra examples pyproject.toml -o requirements/newsreco.txt
	$(LOCK) $(AS_SHARED) --group mlflow-server -o requirements/mlflow.txt
	$(LOCK) --group mlflow2-server -o requirements/mlflow2.txt
	$(LOCK) --upgrade --resolution lowest-direct --extra runtime --group bundle-oldest pyproject.toml -o requirements/bundle-oldest.txt
	$(LOCK) --extra runtime pyproject.toml examples/*/requirements.txt -o requirements/bundle-middle.txt
	$(LOCK) --group boto3 -o requirements/boto3.txt
	$(LOCK) --group audit -o requirements/audit.txt
	$(LOCK) --all-extras --group dev pyproject.toml -o requirements/dev.txt
	for peer in mlserver kserve bentoml servers; do \
	  $(LOCK) bench/serving/requirements/$$peer.in -o bench/serving/requirements/$$peer.txt || exit 1; done
	$(LOCK) $(AS_SHARED) bench/rollout/build-tools.in -o bench/rollout/build-tools.txt
