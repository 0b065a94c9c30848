# vector_ann: the PGXS door (`make`, `make install`, `make installcheck`) and the developer targets
# that `make help` lists. The first half is what PostgreSQL's build needs; the second half calls the
# scripts in test/, which also run on their own.
#
# `make deps`, `make test` and `make quickstart` start from a machine that has only make, git and a
# shell, so nothing may fail while pg_config is missing: PGXS is included only where it exists, and
# the targets that need it run in a second make once the packages are there.

EXTENSION = vector_ann
MODULE_big = vector_ann
DATA = sql/vector_ann--1.0.sql

# Works in the checkout and, as `make -f /path/to/Makefile`, from any other directory.
top := $(patsubst %/,%,$(dir $(abspath $(firstword $(MAKEFILE_LIST)))))
sources := $(patsubst $(top)/%,%,$(foreach layer,core/* pg types am/* am/*/*, \
	$(wildcard $(top)/src/$(layer)/*.cpp)) $(wildcard $(top)/src/module.cpp))
OBJS = $(sources:.cpp=.o)

PG_CPPFLAGS = -I$(srcdir)/src -MMD -MP
PG_CXXFLAGS = -std=c++20 -O3 -fvisibility=hidden -ffp-contract=off -fno-math-errno -pthread \
	-Wall -Wextra -Wno-register -Wno-unused-parameter -Wno-missing-field-initializers
SHLIB_LINK = -lstdc++ -lpthread -Wl,-Bsymbolic -Wl,--version-script=$(top)/src/exports.map
EXTRA_CLEAN = $(OBJS:.o=.d)

# In sql/ a name with `--` is an install script, every other name a regression test.
scripts := $(notdir $(wildcard $(top)/sql/*.sql))
REGRESS = $(basename $(foreach name,$(scripts),$(if $(findstring --,$(name)),,$(name))))
REGRESS_OPTS = --inputdir=$(srcdir) --load-extension=vector_ann
ISOLATION = $(basename $(notdir $(wildcard $(top)/test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=$(srcdir)/test/isolation --load-extension=vector_ann

# PGXS compiles bitcode of C++ with options of its own; inlining into JIT code gains nothing here.
override with_llvm := no
PG_CONFIG ?= pg_config
# Debian's client package already holds PGXS's makefiles; the headers come with another.
has_headers := $(wildcard $(shell command -v $(PG_CONFIG) >/dev/null 2>&1 && \
  $(PG_CONFIG) --includedir-server)/postgres.h)
PGXS := $(if $(has_headers),$(wildcard $(shell $(PG_CONFIG) --pgxs)))

ifneq (,$(PGXS))
.DEFAULT_GOAL := all
include $(PGXS)

# Only these files may use instructions beyond the baseline; dispatch.cpp chooses at run time.
# PGXS sets CXXFLAGS with `override`, so an append without it would be ignored in silence.
ifneq (,$(filter x86_64 amd64,$(shell uname -m)))
avx2_flags := -mavx2 -mfma -mf16c -mbmi2
avx512_flags := $(avx2_flags) -mavx512f -mavx512cd -mavx512bw -mavx512dq -mavx512vl -mavx512vnni
src/core/simd/kernels_avx2.o: override CXXFLAGS += $(avx2_flags)
src/core/simd/kernels_avx512.o: override CXXFLAGS += $(avx512_flags)
src/core/simd/kernels_avx512vbmi.o: override CXXFLAGS += $(avx512_flags) -mavx512vbmi
endif

$(shlib): $(top)/src/exports.map

# Debian's PostgreSQL is built without dependency tracking: headers are tracked here.
-include $(OBJS:.o=.d)
# Not a rule: make would find the source's directories through VPATH and think them made.
$(shell mkdir -p $(sort $(dir $(OBJS))))
else
.DEFAULT_GOAL := help
all install installcheck uninstall clean:
	@echo "PostgreSQL's server headers are not here ($(PG_CONFIG) --includedir-server): run 'make deps' first" >&2
	@exit 1
.PHONY: all install installcheck uninstall clean
endif

# ---------------------------------------------------------------------------------------------
# Developer targets
# ---------------------------------------------------------------------------------------------
export PG_CONFIG
run := $(top)/test/run.sh

help: ## list the targets
	@echo "make [TARGET], one of:"
	@echo "  all, install, uninstall, clean   PGXS: build and install the extension"
	@echo "  installcheck                     regression and isolation tests on a running server"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(top)/Makefile | \
		while IFS='	' read -r name text; do printf '  %-32s %s\n' "$$name" "$$text"; done
	@echo "TESTS=\"name ...\" limits test-regress, test-isolation, test-tap and test-unit."

deps: ## install the packages that are missing (Debian, Ubuntu); silent when all are there
	@$(top)/test/deps.sh

quickstart: deps ## private server, 20,000 words, an index, and what it finds
	@$(top)/test/quickstart.sh start

quickstart-stop: ## stop that server and delete its directory
	@$(top)/test/quickstart.sh stop

test: deps ## everything: build, install, all suites, static checks
	@$(run) build static unit regress isolation tap

test-static: deps ## layering, instruction baseline, exported symbols
	@$(run) build static

test-unit: deps ## unit tests of src/core (no server)
	@$(run) unit

test-asan: deps ## unit tests under the address and undefined-behaviour sanitizers
	@$(run) asan

test-tsan: deps ## unit tests under the thread sanitizer
	@$(run) tsan

test-regress: deps ## SQL in, expected output: sql/*.sql
	@$(run) build regress

test-isolation: deps ## interleavings of sessions: test/isolation/specs/*.spec
	@$(run) build isolation

test-tap: deps ## crash, standby, vacuum, recall on whole servers: test/t/*.pl
	@$(run) build tap

test-bench: deps ## whether the benchmark works: a run on 2,000 words, checked
	@$(run) build bench

bench: deps ## measure beside peers; minutes, or hours with BENCH="--profile=full ..."
	@$(run) build
	@$(top)/test/bench/run_bench.sh $(BENCH)

.PHONY: help deps quickstart quickstart-stop test test-static test-unit test-asan test-tsan \
	test-regress test-isolation test-tap test-bench bench
