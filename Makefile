# make demo and make test do everything on a fresh Debian machine that has a Swift toolchain.
# Both work as root, and as a user who may use sudo.
SHELL := /bin/bash
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
# /opt/swift is where an unpacked toolchain usually lives.
export PATH := $(PATH):/opt/swift/usr/bin
BUILD := .build/release
PACKAGES := g++ pkg-config libarchive-dev libcurl4-openssl-dev libidn2-dev libmaxminddb-dev libmicrohttpd-dev libpcre2-dev \
	libpsl-dev libsimdjson-dev libsqlite3-dev libssl-dev libyaml-dev libzstd-dev zlib1g-dev sqlite3 curl
# What only the tests start: a real Prometheus, clocks that jump, a look at what reaches the disk.
TEST_PACKAGES := faketime openssl prometheus strace

.PHONY: help packages build demo stop test lint docs bench torture fuzz vectors install clean

help:
	@echo "make demo     install, build, start the fleet, send a report through it, show the events"
	@echo "make stop     stop the demo's fleet"
	@echo "make test     install, build, run all tests"
	@echo "make bench    measure (JSON=1: one JSON object a line)"
	@echo "make torture  kill, stop, starve and damage a running fleet, and look for every event (DURATION=200)"
	@echo "make fuzz     feed the readers with changed input (DURATION=60 seconds each)"
	@echo "make vectors DIR=…   compare with recorded runs of IntelMQ"
	@echo "make contract check every OpenAPI document, and a running gateway and worker against theirs"
	@echo "make docs     render the generated documents anew"
	@echo "make lint     swift format, strict"
	@echo "make image    the container image (PREBUILT=FILE packs a program that is built already)"
	@echo "make compose  the demo in containers"
	@echo "make prove-image   build the image and run the stacks in a Docker engine of their own"
	@echo "make install  build and install below PREFIX (/usr/local)"

packages:
	@missing=$$(for p in $(PACKAGES); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	  echo "installing:" $$missing; \
	  $(SUDO) apt-get update -q >/dev/null && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing >/dev/null; \
	fi
	@command -v swift >/dev/null || { echo "error: no swift in PATH: install a Swift 6 toolchain (https://swift.org/install) and call make again"; exit 69; }

build: packages
	swift build -c release --static-swift-stdlib --product intelmq

demo: build
	@deploy/demo/demo.sh $(BUILD)/intelmq

stop:
	@$(BUILD)/intelmq ctl down

# The bundle itself: each line is shown when it is written, and of what hangs and is ended the last ones say where.
SWIFT_TEST := NO_COLOR=1 timeout --foreground -v -k 30 1500 .build/debug/intelmq-fleetPackageTests.xctest --testing-library swift-testing

test: PACKAGES += $(TEST_PACKAGES)
test: packages
	swift build --build-tests
	@# One after the other: beside tests that only compute, those that answer requests would wait too long for a core; and each of the
	@# end-to-end tests starts processes enough for two cores by itself.
	$(SWIFT_TEST) --skip '(HTTP|ServiceKernel|Worker|Fleet|Spool|EndToEnd)Tests'
	$(SWIFT_TEST) --filter HTTPTests
	$(SWIFT_TEST) --filter ServiceKernelTests
	$(SWIFT_TEST) --filter '(Worker|Fleet)Tests'
	$(SWIFT_TEST) --filter SpoolTests
	$(SWIFT_TEST) --no-parallel --filter EndToEndTests --skip TortureTests
	$(SWIFT_TEST) --filter TortureTests

lint:
	swift format lint --strict --recursive --parallel Package.swift Services Shared Tests

docs:
	swift build --product intelmq
	.build/debug/intelmq render .

# What builds say goes to standard error, so that JSON=1 leaves nothing but JSON on standard output.
bench: packages
	@swift build -c release --static-swift-stdlib --product intelmq >&2
	@swift build -c release --static-swift-stdlib --product bench >&2
	@$(BUILD)/bench $(BUILD)/intelmq $(if $(JSON),--json)

.PHONY: contract
contract: PACKAGES += openssl python3-venv
contract: packages
	swift build --product intelmq
	Tests/Contract/contract.sh .build/debug/intelmq

torture: PACKAGES += $(TEST_PACKAGES)
torture: packages
	swift build -c release --static-swift-stdlib --product intelmq
	swift build -c release --static-swift-stdlib --product torture
	$(BUILD)/torture $(BUILD)/intelmq --seconds $(or $(DURATION),200)

fuzz: packages
	Tests/Fuzz/fuzz.sh $(or $(DURATION),60)

vectors: packages
	swift build --product vectors
	.build/debug/vectors $(or $(DIR),../shared/vectors)

PREFIX ?= /usr/local
install: build
	$(SUDO) install -D -m 755 $(BUILD)/intelmq $(PREFIX)/bin/intelmq
	$(SUDO) $(PREFIX)/bin/intelmq install $(PREFIX)/bin
	@put() { $(SUDO) install -D -m 644 /dev/stdin $(PREFIX)/share/$$1; }; \
	share() { $(BUILD)/intelmq completion $$1 | put $$2; $(BUILD)/intelmq ctl --generate-completion-script $$1 | put $$3; }; \
	share bash bash-completion/completions/intelmq bash-completion/completions/intelmqctl; \
	share zsh zsh/site-functions/_intelmq zsh/site-functions/_intelmqctl; \
	share fish fish/vendor_completions.d/intelmq.fish fish/vendor_completions.d/intelmqctl.fish
	$(SUDO) install -d $(PREFIX)/share/man/man1
	$(SUDO) install -m 644 docs/man/*.1 $(PREFIX)/share/man/man1

clean:
	rm -rf .build var

# The container image, and the demo in containers.
.PHONY: image compose prove-image
DOCKER ?= docker
VERSION := $(shell sed -n 's/.*current = "\(.*\)"/\1/p' Shared/ServiceKernel/Operating/Version.swift)
IMAGE ?= intelmq:latest
image:
	$(if $(PREBUILT),install -D -m 755 $(PREBUILT) .build/image/intelmq)
	DOCKER_BUILDKIT=1 $(DOCKER) build $(DOCKER_FLAGS) $(if $(PREBUILT),--build-arg PROGRAM=prebuilt) --build-arg VERSION=$(VERSION) \
	  --build-arg REVISION=$$(git rev-parse HEAD) -f deploy/image/Containerfile -t intelmq:$(VERSION) -t $(IMAGE) .

compose:
	@compose/demo.sh

prove-image: build
	deploy/image/prove.sh $(BUILD)/intelmq

.PHONY: kubernetes
kubernetes:
	deploy/kubernetes/validate.sh
