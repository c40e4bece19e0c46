# make demo   watch about 200 prompts being routed over HTTP through LiteLLM (a simulated provider)
# make test   run every test
# make check  format, lint and types
# make overhead  what the router costs in time, beside what it stands on
# make scorecard  what it does under fault, in 45 scenarios; takes up to 15 minutes, writes docs/reliability.md
# make bench  what policies save and lose on recorded answers (DATA=folder); takes up to 30 minutes, writes docs/benchmarks.md
# make docs   build the pages in docs/ into build/site
#
# Each target sets up .venv by itself, and again only when pyproject.toml changed. Needs Python 3.11+ and make.

VENV := .venv
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

DEMO_ARGS := $(if $(DATA),--data "$(DATA)") $(if $(POLICY),--policy $(POLICY)) $(if $(QUALITY),--quality $(QUALITY)) \
	$(if $(LIMIT),--limit $(LIMIT)) $(if $(filter 1 true yes,$(LIVE)),--live)

.PHONY: demo test check overhead scorecard bench docs venv format record clean

demo: $(STAMP)
	@$(BIN)/langchain-router demo $(DEMO_ARGS) $(ARGS)

test: $(STAMP)
	$(BIN)/python -m pytest $(ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

overhead: $(STAMP)
	@$(BIN)/python tests/benchmarks/overhead.py

scorecard: $(STAMP)
	@$(BIN)/python tests/scorecard/run.py $(ARGS)

bench: $(STAMP)
	@$(BIN)/langchain-router bench "$(or $(DATA),../shared/data/replay)" --folds 5 --jobs 2 \
		--json docs/benchmarks.json --page docs/benchmarks.md \
		$(if $(SIGNALS),--signals-json "$(SIGNALS)") $(if $(CHECKS),--checks-json "$(CHECKS)") $(ARGS)

docs: $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group docs
	$(BIN)/mkdocs build --strict --site-dir build/site

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Record the cassettes anew against the simulated provider; docs/testing.md says how to use real providers.
record: $(STAMP)
	$(BIN)/python -m pytest tests/standard --record-mode=rewrite $(ARGS)

venv: $(STAMP)

$(STAMP): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3."; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) (about a minute)..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[cli,agents]" --group dev
	@touch $(STAMP)

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
