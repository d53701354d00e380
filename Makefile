XTASK = cargo run --quiet --package xtask --

.DEFAULT_GOAL := help
.PHONY: help build run demo test test-func-e test-istio test-litellm test-web lint bench bench-core clean

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

test-func-e: build ## run envoy/envoy.yaml under a real func-e (needs Go)
	@$(XTASK) test-func-e

test-litellm: build ## run the filter before a real LiteLLM, and LiteLLM alone, and compare (needs python3)
	cargo test --test litellm -- --ignored --nocapture

test-web: ## run the corpus through the core on wasm32-unknown-unknown (needs Node)
	@$(XTASK) test-web

test-istio: ## validate envoy/istio against Istio's schemas (needs Go)
	@$(XTASK) test-istio

lint: ## formatting, clippy and rustdoc, warnings are errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --package byok-filter --lib --target wasm32-wasip1 -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items
	RUSTDOCFLAGS='-D warnings' cargo doc --package byok-filter --lib --no-deps --document-private-items --target wasm32-wasip1

bench: build ## measure in Envoy what the filter costs (ARGS=--quick: fewer rounds)
	@$(XTASK) bench $(ARGS)

bench-core: ## measure the decision alone, without Envoy
	cargo bench --package byok-filter --bench decide

clean: ## remove what was built (installed tools stay in the cache)
	cargo clean
	rm -rf dist
