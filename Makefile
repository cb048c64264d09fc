# Tools are pinned here and run from the module cache: none is in go.mod.
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFUMPT     = mvdan.cc/gofumpt@v0.12.0

FUZZTIME  ?= 30s
BENCHTIME ?= 1s
SOAK      ?= 60s
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null)

.PHONY: build check test lint bench fuzz soak

build:
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' ./cmd/policyd-rdns

# All that a change has to pass.
check: lint
	go test ./...
	go test -race -shuffle=on ./...

test:
	go test ./...

lint:
	go vet ./...
	go run $(STATICCHECK) ./...
	@out=$$(go run $(GOFUMPT) -l .); test -z "$$out" || { echo "gofumpt -l:"; echo "$$out"; exit 1; }

bench:
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

# Every fuzz target of every package, FUZZTIME each. Minimising is bounded: left
# alone it takes the time of the search.
fuzz:
	@set -e; for pkg in $$(go list ./...); do \
	  for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "$$pkg $$target"; \
	    go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x $$pkg; \
	  done; \
	done

# Mixed load with faults; then nothing may be left behind.
soak:
	SOAK=$(SOAK) go test -count=1 -run '^TestSoak$$' -v ./cmd/policyd-rdns
