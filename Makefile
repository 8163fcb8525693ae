# Commongrid. `make demo` shows it, `make up` runs it, `make test` tests it; each sets up what it needs by itself.

.DEFAULT_GOAL := help
.PHONY: up down demo token test fuzz audit faults year mutants lint format types contracts lock setup clean help

BIN := .venv/bin
SET_UP := .venv/.set-up
PACKAGES := $(wildcard libs/*/pyproject.toml services/*/pyproject.toml)

up: $(SET_UP) ## start PostgreSQL, Kafka and the four services, until Ctrl-C (ARGS="--kafka-port 9092 …")
	@$(BIN)/commongrid up $(ARGS)

down: $(SET_UP) ## end what is left of it
	@$(BIN)/commongrid down $(ARGS)

demo: $(SET_UP) ## play a working day on the sample community (ARGS="--once --json summary.json", STACK=compose)
	@$(BIN)/commongrid demo $(if $(STACK),--stack $(STACK)) $(ARGS)

token: $(SET_UP) ## print a bearer token (POST=grid-worker-3)
	@$(BIN)/commongrid token $(POST) $(ARGS)

test: $(SET_UP) ## test everything on real servers (DOCKER=1: in containers; ARGS="-k cases")
	@$(if $(DOCKER),COMMONGRID_TEST_DOCKER=1) $(BIN)/python -m pytest --numprocesses 3 --dist loadscope --no-loadscope-reorder $(ARGS)

fuzz: $(SET_UP) ## send every operation what its document allows, and what it forbids (CASES=500)
	@COMMONGRID_FUZZ_CASES=$(or $(CASES),200) $(BIN)/python -m pytest --numprocesses 2 --dist load --timeout 7200 \
		tests/security/test_fuzz.py $(ARGS)

audit: $(SET_UP) ## known vulnerabilities, licences, and what ruff knows of security
	@$(BIN)/python bin/audit.py $(ARGS)

faults: $(SET_UP) ## do harm in rounds, under load; nothing may be lost or doubled (ROUNDS=50 SEED=1)
	@$(BIN)/python tests/faults $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED)) $(ARGS)

year: $(SET_UP) ## live a year in the sample community on a moved clock, and judge it (REPORTS=1000 SEED=2)
	@COMMONGRID_YEAR_REPORTS=$(or $(REPORTS),500) COMMONGRID_YEAR_SEED=$(or $(SEED),1) \
		$(BIN)/python -m pytest --numprocesses 0 tests/year $(ARGS)

bench: $(SET_UP) ## measure against the bare parts and what one would pick instead (ONLY=relay, QUICK=1)
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(QUICK),--quick) $(ARGS)

mutants: $(SET_UP) ## put small faults into the kernel and see whether a test notices (MODULE="store relay" SAMPLE=20 SEED=1)
	@$(BIN)/python libs/events/mutants/run.py $(MODULE) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED))

lint: $(SET_UP) ## style, and which package may import which
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/lint-imports

format: $(SET_UP) ## put the code into the one style
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

types: $(SET_UP) ## strict types
	@$(BIN)/pyright

contracts: $(SET_UP) ## write the published schemas and documents anew (ARGS=--check: hold them against the last release)
	@$(BIN)/python contracts/generate.py $(ARGS)

lock: ## write requirements.lock anew, from the pyproject.toml files
	@bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--group pyproject.toml:dev $(PACKAGES) \
		$(foreach package,$(PACKAGES),--no-emit-package commongrid-$(subst _,-,$(notdir $(patsubst %/,%,$(dir $(package)))))) \
		--output-file requirements.lock $(ARGS)

setup: $(SET_UP) ## install what the project needs into .venv

$(SET_UP): requirements.lock $(PACKAGES) bin/setup
	@bin/setup
	@touch $@

clean: ## remove what was made: the installation, the data, the caches
	@if [ -x $(BIN)/commongrid ]; then $(BIN)/commongrid down; fi
	rm -rf .venv .tools .data .pytest_cache .ruff_cache .hypothesis .import_linter_cache

help:
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
