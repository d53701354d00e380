XTASK = cargo run --quiet --package xtask --

# The tools of `make lint` that are no part of Rust: one environment per content of their list.
CACHE = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/byok-filter
LINT_TOOLS = $(CACHE)/lint-$(firstword $(shell cksum .ci/lint-requirements.txt))

.DEFAULT_GOAL := help
.PHONY: help build run demo test test-envoy test-func-e test-istio test-litellm test-web lint advisories bench bench-core clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

build: ## build the module, dist/byok_filter.wasm
	@$(XTASK) build

run: build ## run envoy/envoy.yaml, show five answers, serve until Ctrl-C (ENVOY=path: another Envoy)
	@$(XTASK) run

demo: build ## the same, but end after the answers
	@$(XTASK) demo

test: build ## run all tests: the core, the module, the module in Envoy
	cargo test --workspace --no-fail-fast

test-envoy: build ## run the corpus through one Envoy (ENVOY=path: another one than the pinned)
	cargo test --package byok-filter --test envoy

test-func-e: build ## run envoy/envoy.yaml under a real func-e (needs Go)
	@$(XTASK) test-func-e

test-litellm: build ## run the filter before a real LiteLLM, and LiteLLM alone, and compare (needs python3)
	cargo test --test litellm -- --ignored --nocapture

test-web: ## run the corpus through the core on wasm32-unknown-unknown (needs Node)
	@$(XTASK) test-web

test-istio: ## validate envoy/istio against Istio's schemas (needs Go)
	@$(XTASK) test-istio

lint: $(LINT_TOOLS)/installed ## formatting, clippy, rustdoc, spelling, licenses; warnings are errors (needs python3)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --package byok-filter --lib --target wasm32-wasip1 -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items
	RUSTDOCFLAGS='-D warnings' cargo doc --package byok-filter --lib --no-deps --document-private-items --target wasm32-wasip1
	$(LINT_TOOLS)/bin/typos
	$(LINT_TOOLS)/bin/cargo-deny --log-level error --workspace check licenses bans sources

advisories: $(LINT_TOOLS)/installed ## look up dependencies in the database of security advisories (needs network)
	$(LINT_TOOLS)/bin/cargo-deny --workspace check advisories

$(LINT_TOOLS)/installed: | .ci/lint-requirements.txt
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --only-binary=:all: --requirement $|
	touch $@

bench: build ## measure in Envoy what the filter costs (ARGS=--quick: fewer rounds)
	@$(XTASK) bench $(ARGS)

bench-core: ## measure the decision alone, without Envoy
	cargo bench --package byok-filter --bench decide

clean: ## remove what was built (installed tools stay in the cache)
	cargo clean
	rm -rf dist
