# The two to know: `make sandbox` (try it, no account needed) and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: install sandbox test lint run lock

install: $(VENV)/.installed

$(VENV)/.installed: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

SANDBOX_PORT ?= 8400

# The bot starts from nothing each time, like the workspace it finds; a .env for a real workspace does not count here.
sandbox: install
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
		DATABASE_URL= DATA_DIR="$$folder" HOST=127.0.0.1 PORT=0 \
		$(BIN)/python -m sandbox --port $(SANDBOX_PORT) -- $(BIN)/python -m bot

# A module's tests share a bot; four modules run at once, because they mostly wait for sockets.
TESTING := -n 4 --dist loadscope --no-loadscope-reorder

test: install
	$(BIN)/python -m pytest $(TESTING)

# The proofs, at full size: what each promises and last found is in docs/proofs/. `make test` runs small ones.
PROOFS := crashes faults input security replicas soak
.PHONY: $(PROOFS:%=prove-%) prove bench

$(PROOFS:%=prove-%): prove-%: install
	$(BIN)/python -m tests.proofs.$*

bench: install
	$(BIN)/python -m bench.speed

prove: $(PROOFS:%=prove-%) bench  ## All of them: about two and a half hours.

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

run: install
	$(BIN)/python -m bot

lock: install  ## Renew both lock files; needs `uv` on the PATH.
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command 'make lock' -o requirements.txt
	uv pip compile pyproject.toml --group dev -c requirements.txt --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --custom-compile-command 'make lock' -o requirements-dev.txt
