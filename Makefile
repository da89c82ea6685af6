# The service's tasks; "make" lists them. Go and make are all that run, test and
# build need; check installs the rest as root, or names it.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

# Where PATH has no Go (sudo's often lacks it), the place of the official archive.
GO := $(or $(shell command -v go 2>/dev/null),$(wildcard /usr/local/go/bin/go))
ifeq ($(GO),)
ifneq ($(filter-out help env clean,$(MAKECMDGOALS)),)
$(error Go is missing: https://go.dev/dl/ has it, 1.26 or newer)
endif
endif
export PATH := $(patsubst %/,%,$(dir $(GO))):$(PATH)

# A workspace in a folder above has no say here. And git is not asked at every
# build: in a checkout that belongs to somebody else it refuses, and with it Go.
export GOWORK := off
export GOFLAGS := $(shell $(GO) env GOFLAGS 2>/dev/null) -buildvcs=false

# Caches go where Go wants them, or below .dev/ where that is no place to write
# (no HOME, or one that is read-only).
cache_of = $(filter /%,$(shell $(GO) env $(1) 2>/dev/null))
usable = $(if $(1),$(shell mkdir -p '$(1)' 2>/dev/null && test -w '$(1)' && echo yes))
ifeq ($(call usable,$(call cache_of,GOCACHE)),)
export GOCACHE := $(CURDIR)/.dev/cache/build
export GOLANGCI_LINT_CACHE := $(CURDIR)/.dev/cache/lint
endif
ifeq ($(call usable,$(call cache_of,GOMODCACHE)),)
export GOMODCACHE := $(CURDIR)/.dev/cache/modules
export GOFLAGS += -modcacherw
endif

VERSION ?= $(or $(shell git describe --tags --always --dirty 2>/dev/null),development)

# The race detector needs a C compiler that finds its headers. This is asked when it
# is used; $(shell) does not get what is exported above (GNU make before 4.4).
RACE = $(shell GOCACHE='$(or $(GOCACHE),$(call cache_of,GOCACHE))' GOMODCACHE='$(or $(GOMODCACHE),$(call cache_of,GOMODCACHE))' \
	CGO_ENABLED=1 $(GO) build -race runtime/cgo >/dev/null 2>&1 && echo -race)

TOOL := go tool '-modfile=$(CURDIR)/tools/go.mod'
REPORTS := .dev/reports

##@ Every day

.PHONY: help
help: ## list these
	@awk -F ':.*## ' '/^##@/ { print "\n" substr($$0, 5) } /^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

# exec: make's child is the program itself, which gets make's SIGTERM.
.PHONY: run
run: ## the whole service here, with its own Postgres and Redis, until Ctrl-C
	@CGO_ENABLED=0 go build -o bin/demo ./cmd/demo
	@exec bin/demo

.PHONY: test
test: ## all tests, on a real Postgres and Redis that they start themselves
	@exec env CGO_ENABLED=$(if $(RACE),1 go test -race,0 go test) -shuffle=on ./...
	@$(if $(RACE),:,echo 'The race detector was off: there is no C compiler (Debian: gcc libc6-dev).')

.PHONY: fmt
fmt: ## format the Go code
	@gofmt -w $(GO_DIRS)

##@ Before a change goes in

# What CI runs. "make -k check" goes on after a failure.
.PHONY: check
check: check-packages check-format check-generated check-modules check-vet check-lint check-tests check-manifests check-proofs check-faults check-browser ## everything that CI checks: format, generated files, modules, vet, lint, tests, manifests, proofs, faults, browser

# The report is of what was measured, also where a test failed; and a package that
# fails keeps none of the others from running.
.PHONY: faults
faults: ## everything breaks, at length: the figures of docs/reliability.md (an hour)
	@mkdir -p $(REPORTS) && : >$(REPORTS)/faults.txt
	@FAULTS=full FAULTS_REPORT='$(CURDIR)/$(REPORTS)/faults.txt' go test -tags faults -count=1 -p 1 -timeout 120m -run '^TestFaults_' ./internal/faulttest/...; \
		status=$$?; sort $(REPORTS)/faults.txt; exit $$status

# go test takes one target at a time. Which there are is looked up, so that none is
# forgotten. What it finds it keeps below testdata/fuzz, to be committed.
FUZZTIME ?= 30s
.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME, 30s unless it is set, one after the other
	@status=0; for target in $$(grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' $(GO_DIRS) | sed 's|/[^/]*:func |:|' | sort); do \
		echo "--- $${target#*:} of $${target%%:*}"; \
		go test -run '^$$' -fuzz "^$${target#*:}\$$" -fuzztime '$(FUZZTIME)' "./$${target%%:*}" || status=1; \
	done; exit $$status

.PHONY: mutants
mutants: ## each mistake on the list is made in a copy, and must be found (half an hour)
	@go test -tags mutants -count=1 -timeout 120m -v -run '^TestMutants$$' ./internal/mutants

# BENCH="-ops mint -rounds 1 -seconds 1" is a short one; -start is about bin/server. exec, as in run.
.PHONY: bench
bench: build ## what each operation costs beside the stores it needs: docs/performance.md (a quarter of an hour)
	@CGO_ENABLED=0 go build -o bin/bench ./cmd/bench
	@exec bin/bench $(BENCH)

##@ Shipping

# grpcnotrace: the trace exporter's gRPC, of which nothing is used, else has pages of its
# own, and their html/template costs ten megabytes (internal/rules).
.PHONY: build
build: ## bin/server and bin/seed: static, without cgo
	@CGO_ENABLED=0 go build -trimpath -tags grpcnotrace -ldflags '-s -w -X main.version=$(VERSION)' -o bin/ ./cmd/server ./cmd/seed

.PHONY: env
env: ## .env for docker compose, with secrets of its own; never overwrites
	@sh deploy/make-env.sh .env

.PHONY: clean
clean: ## remove what was built, and .dev/ with the data of make run
	@chmod -R u+w .dev/cache 2>/dev/null || true
	@rm -rf bin .dev

# ---- The steps of check ----

GO_DIRS := client cmd deploy e2e internal migrations password
MODULES := . tools e2e deploy/k8s
TAGS := proof,faults,mutants
NOT_SOURCE := .git .dev .env bin

# $(call step,name,commands) runs commands and says how long they took.
define step
	@echo "--- $(1)"; begun=$$(date +%s); ($(2)); status=$$?; echo "    $(1): $$(($$(date +%s) - begun)) s"; exit $$status
endef

.PHONY: check-packages
check-packages:
	$(call step,packages,sh tools/packages.sh)

.PHONY: check-format
check-format:
	$(call step,format,bad=$$(gofmt -l $(GO_DIRS)) && if [ -n "$$bad" ]; then echo "make fmt would change:"; echo "$$bad"; exit 1; fi)

# In a copy, so that checking changes nothing.
.PHONY: check-generated
check-generated:
	$(call step,generated files,rm -rf .dev/generated && mkdir -p .dev/generated && \
		tar -cf - $(addprefix --exclude=./,$(NOT_SOURCE)) . | tar -xf - -C .dev/generated && \
		(cd .dev/generated && go generate ./...) && \
		{ diff -r -q $(addprefix -x ,$(NOT_SOURCE)) . .dev/generated || { echo "go generate ./... changes these files"; false; }; } && \
		rm -rf .dev/generated)

.PHONY: check-modules
check-modules:
	$(call step,modules,for module in $(MODULES); do go -C $$module mod tidy -diff || exit 1; done; go mod verify)

.PHONY: check-vet
check-vet:
	$(call step,vet,go vet -tags $(TAGS) ./... && go -C e2e vet ./... && go -C deploy/k8s vet ./...)

.PHONY: check-lint
check-lint:
	$(call step,lint,$(TOOL) golangci-lint run && (cd e2e && $(TOOL) golangci-lint run) && cd deploy/k8s && $(TOOL) golangci-lint run)

# $(call tested,report) is followed by what gotestsum runs; .ci/run counts the reports.
tested = mkdir -p $(REPORTS) && $(TOOL) gotestsum --format pkgname --hide-summary skipped --jsonfile $(REPORTS)/$(1).json

# The import rules are tests (internal/rules).
.PHONY: check-tests
check-tests:
	$(call step,tests,$(call tested,tests) -- -race -shuffle=on ./...)

# What is deployed, rendered and decoded; in a module of its own (deploy/k8s).
.PHONY: check-manifests
check-manifests:
	$(call step,manifests,$(call tested,manifests) --raw-command -- go -C deploy/k8s test -json -shuffle=on ./...)

# Proofs are the tests that take long and gain nothing from the race detector: against
# Python, of timing, memory and throughput. Each is a TestProof... in a file under
# the build tag proof. One package at a time, because they measure.
PROOF_FILES = $(shell grep -rl --include='*_test.go' '^//go:build.*proof' $(GO_DIRS))
.PHONY: check-proofs
check-proofs:
	$(call step,proofs,! grep -E '^func (Test|Example|Fuzz)' $(PROOF_FILES) /dev/null | grep -vE 'func Test(Proof|Main)' && \
		$(call tested,proofs) -- -tags proof -run '^TestProof' -p 1 -shuffle=on -timeout 30m $(sort $(dir $(addprefix ./,$(PROOF_FILES)))))

# A short cut of "make faults": each story once or twice, with smaller numbers.
.PHONY: check-faults
check-faults:
	$(call step,faults,$(call tested,faults) -- -tags faults -run '^TestFaults_' -p 1 -timeout 15m ./internal/faulttest/...)

.PHONY: check-browser
check-browser:
	$(call step,browser tests,$(call tested,browser) --raw-command -- go -C e2e test -json -shuffle=on ./...)
