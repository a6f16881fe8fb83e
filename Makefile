# Surefoot's tasks. `make` alone lists them. Only Python 3.11 (or newer) and make are needed to begin.
# PYTHON=... names the interpreter; without it python3.11 is taken, or another that is new enough.

.DEFAULT_GOAL := help
export PYTHON

BIN   := .venv/bin
READY := .venv/.ready
# At most four workers, as each imports a good part of scientific Python; the examples of a file share their names.
WORKERS ?= -n auto --maxprocesses 4 --dist loadfile

MODEL := customer ~ nist
DATA  := examples/ozone.csv

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml scripts/setup.sh
	@sh scripts/setup.sh
	@touch $@

.PHONY: setup
setup: $(READY) ## a virtual environment in .venv with all that the lock file pins

.PHONY: demo
demo: $(READY) ## fit NIST's ozone calibration, show the summary, write report.html
	@echo '$$ surefoot fit "$(MODEL)" $(DATA) --report report.html'
	@$(BIN)/surefoot fit "$(MODEL)" $(DATA) --report report.html

.PHONY: test
test: lint pytest oldest-jax ## lint, then every test, browser tests included

.PHONY: pytest
pytest: $(READY) chromium postgresql ## the tests without the linters
	@$(BIN)/python -m pytest $(WORKERS) -m "not alone"
	@# Tests that measure time or memory run with nothing beside them. Exit code 5: there are none.
	@$(BIN)/python -m pytest -m alone || test $$? = 5

.PHONY: oldest-jax
oldest-jax: $(READY) ## the tests of what is read from JAX, with the oldest JAX that is declared
	@sh scripts/oldest_jax.sh

.PHONY: fuzz
fuzz: $(READY) ## the random tests of the proofs, on very many cases
	SUREFOOT_FUZZ=1 $(BIN)/python -m pytest $(WORKERS) -m fuzz tests/proof tests/test_convexity_laws.py

.PHONY: chromium
chromium: ## Debian's chromium for the browser tests, installed when we may
	@sh scripts/chromium.sh

.PHONY: postgresql
postgresql: ## Debian's PostgreSQL for the database tests, installed when we may
	@sh scripts/postgresql.sh

.PHONY: lint
lint: $(READY) ## ruff, pyright and the walls between the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

.PHONY: format
format: $(READY) ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: docs
docs: $(READY) ## build the docs site, running every example; any warning is an error
	$(BIN)/python -m sphinx -W --keep-going -E -a -q -b html docs docs/_build/html
	$(BIN)/python scripts/offline.py docs/_build/html
	@echo "Open docs/_build/html/index.html"

.venv/.peers: $(READY) benchmarks/requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps \
	    -r benchmarks/requirements.lock
	@touch $@

.PHONY: ipopt
ipopt: .venv/.peers ## Ipopt for `make bench-long`, built against Debian's when we may
	@sh scripts/ipopt.sh

.PHONY: bench
bench: .venv/.peers ## speed, memory and digits, with the peers beside (under an hour)
	PYTHONPATH=tests $(BIN)/python -m benchmarks

.PHONY: bench-long
bench-long: .venv/.peers ipopt ## the same with more peers, rows and repetitions (hours, 6 GB of disk, 16 of memory)
	SUREFOOT_BENCH=long PYTHONPATH=tests $(BIN)/python -m benchmarks

.PHONY: lock
lock: $(READY) ## pin the newest versions of everything in requirements.lock
	$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
	    --generate-hashes --system-certs --no-emit-index-url --no-emit-find-links --no-header --all-extras \
	    --group build --group test --group docs --group dev --output-file requirements.lock.new
	@{ echo "# Every version and hash that development uses. Made by: make lock"; cat requirements.lock.new; } \
	    > requirements.lock && rm requirements.lock.new
	@# The peers of `make bench`, at the versions pinned above where both have them.
	$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
	    --generate-hashes --system-certs --no-emit-index-url --no-emit-find-links --no-header --all-extras \
	    --group test --group bench --constraint requirements.lock --output-file benchmarks/requirements.lock \
	    --no-emit-package pytest-benchmark --no-emit-package py-cpuinfo2
	@# sif2jax asks for a plugin of pytest that it never imports, and that would change `make test`: left out above.
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	    --generate-hashes --system-certs --no-emit-index-url --no-emit-find-links --no-header \
	    --group pyproject.toml:ipopt --constraint requirements.lock --output-file benchmarks/ipopt.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	    --generate-hashes --system-certs --no-emit-index-url --no-emit-find-links --no-header \
	    --group pyproject.toml:oldest-jax --output-file oldest-jax.lock
	@! grep -nE '^[^#]*(https?|file):' requirements.lock oldest-jax.lock benchmarks/requirements.lock benchmarks/ipopt.lock

.PHONY: clean
clean: ## remove all that can be made again, .venv too
	rm -rf .venv .oldest-jax build dist report.html docs/_build .pytest_cache .ruff_cache .hypothesis \
	    .import_linter_cache .benchmarks
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
