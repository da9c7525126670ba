# make test needs Go and make; what else it tests against it fetches into .peers/ (git-ignored).
SHELL := /bin/bash
.DEFAULT_GOAL := build

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X main.version=$(VERSION)
PKG ?= ./...
FUZZTIME ?= 10s
# Tools are pinned here and run through the module proxy: nothing is installed.
GOFUMPT     := go run mvdan.cc/gofumpt@v0.12.0
STATICCHECK := go run honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI    := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: build
build: ## one static binary in bin/
	CGO_ENABLED=0 go build -trimpath -ldflags "$(LDFLAGS)" -o bin/onsale ./cmd/onsale

.PHONY: test
test: peers ## everything, with the race detector, against the real peers that can be had
	@. ./.peers/env 2>/dev/null; go test -race -count=1 -timeout 25m $(PKG)

.PHONY: peers
peers: ## fetch the real peers (Prometheus, Alertmanager, Redis, RabbitMQ) into .peers/; says loudly what it could not get
	@bash scripts/peers.sh

.PHONY: lint
lint: ## gofumpt, vet, staticcheck, and go.mod is tidy
	@out=$$($(GOFUMPT) -l cmd config sale sources actions views ui rehearsal *.go); test -z "$$out" || { echo "gofumpt wants: $$out"; exit 1; }
	go vet ./...
	$(STATICCHECK) ./...
	go mod tidy -diff

.PHONY: lint-full
lint-full: lint ## also golangci-lint with .golangci.yml (slow to compile the first time)
	$(GOLANGCI) run

.PHONY: bench
bench: ## benchmarks with allocations, and the whole-program figures (docs/performance.md)
	go test -run '^$$' -bench . -benchmem $(PKG)

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME
	@set -e; for pkg in $$(go list ./...); do \
	  for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; done

.PHONY: golden
golden: ## rewrite the golden files; read the diff before you commit it
	go test ./views ./config ./config/grafana ./cmd/onsale -update

.PHONY: accuracy
accuracy: ## play all rehearsals and write docs/accuracy.md: how well the forecasts come out
	go test ./sale -run TestTheAccuracyTable -update -timeout 30m

.PHONY: picture
picture: ## the README's picture of the screen, from the real program
	go run ./cmd/onsale demo --picture docs/overview.svg

.PHONY: docs
docs: ## man pages, shell completions and the key table, from the program itself
	go run ./cmd/onsale docs --man bin/man --completion bin/completion --keys docs/keys.md

.PHONY: help
help:
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14
