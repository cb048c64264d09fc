# Tools are pinned here and run from the module cache: none is in go.mod.
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFUMPT     = mvdan.cc/gofumpt@v0.12.0
NFPM        = github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2

include contrib/project.mk

FUZZTIME  ?= 30s
BENCHTIME ?= 1s
SOAK      ?= 60s
# What CHANGELOG.md is headed with names what has no tag yet.
RELEASE   := v$(shell awk '/^.. [0-9]/ { print $$2; exit }' CHANGELOG.md)
VERSION   ?= $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null || \
  echo "$(RELEASE)-g$$(git describe --always --dirty --exclude '*' 2>/dev/null)")

.PHONY: build check test lint cross bench fuzz soak man stage deb rpm archive freebsd image release picture

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

# The systems that are not at hand: all is compiled, tests included. The first time
# takes a minute each, for the standard library; then seconds.
CROSS = freebsd/amd64 openbsd/amd64 darwin/arm64 linux/arm64

cross:
	@set -e; for target in $(CROSS); do \
	  echo "$$target"; \
	  GOOS=$${target%/*} GOARCH=$${target#*/} go build ./...; \
	  GOOS=$${target%/*} GOARCH=$${target#*/} go vet ./...; \
	done

# First the daemon beside a server that does nothing (BENCHMARKS.md), some six
# minutes; then each step alone.
bench:
	go run ./cmd/policybench run
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

# What is handed out, in dist/. Its times are those of the commit, so that one
# commit makes the same bytes again.
ARCH ?= $(shell go env GOARCH)
PACKING = man stage deb rpm archive freebsd image release
$(PACKING): export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct)
# v1.2.3 is 1.2.3, five commits later 1.2.3+5.g0123abc; before its tag it has the
# commit's time.
$(PACKING): export DEBVERSION ?= $(shell (git describe --tags --match 'v[0-9]*' --dirty=+dirty 2>/dev/null || \
  echo "$(RELEASE)+$$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y%m%d%H%M%S).$$(git describe --always --dirty=+dirty --exclude '*')") | \
  sed 's/^v//; s/-\([0-9]*\)-g/+\1.g/; s/-/~/g')
$(PACKING): export VERSION := $(VERSION)

man:
	@mkdir -p dist
	go run -ldflags '-X main.version=$(VERSION)' ./cmd/policyd-rdns man --epoch $(SOURCE_DATE_EPOCH) --folder dist

# Built once for all that is made of it.
stage:
	contrib/debian/stage.sh $(ARCH)

deb: stage
	ARCH=$(ARCH) go run $(NFPM) package --config contrib/debian/nfpm.yaml --packager deb --target dist/policyd-rdns_$(DEBVERSION)_$(ARCH).deb

rpm: stage
	ARCH=$(ARCH) go run $(NFPM) package --config contrib/redhat/nfpm.yaml --packager rpm --target dist/policyd-rdns-$(DEBVERSION)-1.$(patsubst arm64,aarch64,$(ARCH:amd64=x86_64)).rpm

archive: stage
	contrib/debian/archive.sh linux $(ARCH)

freebsd: stage
	contrib/debian/archive.sh freebsd $(ARCH)

# An OCI image from nothing, of the architectures that are asked for, without a daemon.
IMAGE_ARCH ?= amd64 arm64

image:
	@set -e; for arch in $(IMAGE_ARCH); do contrib/build.sh linux/$$arch dist/image/$$arch/policyd-rdns; done
	contrib/debian/copyright.sh >dist/image/LICENSES
	cd contrib/image && go run . --version '$(VERSION)' --epoch $(SOURCE_DATE_EPOCH) --from ../../dist/image --to ../../dist $(IMAGE_ARCH)

# Packages, archives and the image.
release:
	rm -rf dist/*.deb dist/*.rpm dist/*.tar.gz dist/*.tar dist/stage dist/image dist/SHA256SUMS
	@set -e; for arch in amd64 arm64; do \
	  $(MAKE) --no-print-directory deb rpm archive freebsd ARCH=$$arch; \
	done
	$(MAKE) --no-print-directory image
	cd dist && sha256sum *.deb *.rpm *.tar.gz *.tar >SHA256SUMS

# The picture in README.md.
picture:
	go run ./cmd/policyd-rdns demo | awk -f contrib/picture.awk >contrib/docs/demo.svg
