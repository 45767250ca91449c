# make            what there is
# make run        the whole loop on this machine, from an empty checkout
# make test       every test
.DEFAULT_GOAL := help
SHELL := /bin/bash
unexport PYTHONDONTWRITEBYTECODE
export PATH := $(CURDIR)/.venv/bin:$(PATH)
ONCE ?=
PORT ?=
ACCOUNT ?=
LIMIT ?=
REGION ?=
# tests that take minutes: engines killed, events lost, a simulated month, the body that also runs elsewhere
LONG := tests/e2e/test_killed_engine.py tests/e2e/test_killed_deployment.py tests/e2e/test_simulate.py \
    tests/local/test_chaos_loop.py tests/target

.PHONY: help setup build run test check engine-doc format lock synth bench bench-peers clean sagemaker test-long test-clients test-sagemaker test-localstack test-aws

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## set up whatever is missing (environments, Node, layers)
	@scripts/setup.sh

build: setup ## Lambda layers and the jobs' wheels
	@.venv/bin/python -m stacks.build

run: setup ## the whole loop on this machine: upload to prediction (ONCE=1 stops at the end)
	@.venv/bin/python models/flights/monthly.py --out models/flights/data --months 1-4
	@.venv/bin/perennial local run flights models/flights/data/2013-0[1-3].csv \
	    --ask models/flights/data/2013-04.csv $(if $(ONCE),--once) $(if $(PORT),--port $(PORT))

synth: setup ## cdk.out, as `cdk synth` would write it
	@.venv/bin/python app.py

test: setup ## every check, and every test but those of the lanes below
	@$(MAKE) --no-print-directory check
	@rm -rf build/grants
	@.venv/bin/python -m pytest -n 3 --no-loadscope-reorder -q $(addprefix --ignore ,$(LONG)) \
	    tests/e2e tests/handlers tests/training tests/infrastructure
	@.venv/bin/python -m pytest -n 3 -q $(addprefix --ignore ,$(LONG)) tests/local tests/grants

check: setup ## formatting, types, import rules, fast tests (under a minute)
	@ruff format --check -q . && ruff check -q . && echo "format and lint: clean"
	@mypy
	@lint-imports | tail -1
	@found=$$(.venv/bin/python -m pytest --collect-only -qq tests 2>&1) || { tail -30 <<< "$$found"; exit 1; }
	@.venv/bin/python -m pytest -n 2 -q -m "not slow" tests/unit

format: setup ## put the code into the project's format
	@ruff format . && ruff check --fix .

lock: setup ## make the locks again from requirements/*.in
	@scripts/lock.sh

engine-doc: setup ## docs/engine.md: what the product asks of the laptop engine, recorded over its tests (minutes)
	@rm -rf build/record
	@PERENNIAL_ANY_CALL=1 PERENNIAL_RECORD=$(CURDIR)/build/record .venv/bin/python -m pytest -n 3 \
	    --no-loadscope-reorder -q tests/e2e tests/handlers tests/local/test_removal.py \
	    tests/local/test_resources_lifecycle.py tests/local/test_deployer.py tests/local/test_stack_update.py
	@.venv/bin/python -m scripts.engine_doc --records build/record

bench: setup ## every measurement of benchmarks/ (minutes)
	@for script in benchmarks/*.py; do echo "== $$script"; .venv/bin/python $$script || exit 1; done

clean: ## remove everything that setup and runs have made here
	@rm -rf .venv .venv-runtime .venv-jobs build cdk.out node_modules .perennial models/*/data

sagemaker: setup ## the SageMaker SDK in an environment of its own (1 GB), for `perennial experiment`
	@scripts/lane.sh sagemaker

test-long: setup ## what takes minutes: kills, lost events, a simulated month, the body that also runs elsewhere
	@.venv/bin/python -m pytest -n 2 --no-loadscope-reorder -q $(LONG)

test-clients: setup ## aws, boto3, sagemaker-core and cdk against the laptop engine
	@scripts/test_lane.sh clients tests/clients --ignore tests/clients/sdk

test-sagemaker: setup ## the SageMaker SDK: experiments by ModelTrainer, its table of images
	@scripts/test_lane.sh sagemaker tests/clients/sdk

test-localstack: setup ## LocalStack's opinion: the real cdk deploys there, and the loop runs up to its first job
	@scripts/test_localstack.sh

test-aws: setup ## the same body on AWS, which costs money: ACCOUNT=<12 digits> LIMIT=5 (dollars)
	@.venv/bin/python -m pytest -q tests/target --target aws --record $(if $(ACCOUNT),--account $(ACCOUNT)) \
	    $(if $(LIMIT),--limit $(LIMIT)) $(if $(REGION),--region $(REGION))

bench-peers: setup ## scoring, profiling and drift alerts beside the usual tools (installs them below build/)
	@.venv/bin/python benchmarks/peers/compare.py
	@.venv/bin/python benchmarks/profiling.py --peers
	@.venv/bin/python benchmarks/drift_power.py --evidently
