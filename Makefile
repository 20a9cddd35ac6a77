# make demo    the main job on an embedded default, from nothing
# make test    everything: checks, unit tests, real mail servers
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# Servers, office suite and fonts that the tests use; the daemon itself needs none of them to start.
DEBIAN_TEST := dovecot-imapd dovecot-lmtpd chasquid postgresql libreoffice-writer libreoffice-calc \
	libarchive13 fonts-noto-cjk fonts-wqy-zenhei openssl systemd
JOBS ?= 2
# Packages from Debian, without questions, without a terminal, without what is only recommended.
APT = echo "apt-get install $(1)" && apt-get update -qq && DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes \
	apt-get install -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 $(1) >/dev/null
# Without what setuptools has to say about installing for editing.
PIP_INSTALL := PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check
# Bytecode is what makes a second start fast; some machines switch it off for everything.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test check bench fuzz faults lock clean debian venv

help:
	@echo "make demo   用内置邮件服务器演示主要工作（run the main job on an embedded default）"
	@echo "make test   安装所需并跑完全部检查和测试（install what is needed, run all checks and tests）"
	@echo "make check  只做静态检查（ruff, mypy, import-linter）"
	@echo "make bench  测量速度（benchmarks）    make fuzz  限时模糊测试（bounded fuzzing）"

demo: $(VENV)/.demo
	$(BIN)/djb demo $(DEMO)

test: debian $(VENV)/.test check
	$(BIN)/pytest -n $(JOBS) --dist loadgroup -m "not slow"

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy daemon parsers tests
	$(BIN)/lint-imports

bench: $(VENV)/.test
	$(BIN)/python -m tests.bench $(BENCH)

faults: $(VENV)/.test
	$(BIN)/pytest -m slow tests/faults

fuzz: $(VENV)/.test
	$(PIP_INSTALL) -c requirements.lock atheris
	$(BIN)/python -m tests.fuzz.doors $(or $(FUZZ),60)
	$(BIN)/python -m tests.fuzz.fillings $(or $(FUZZ),60)

# A fresh Debian has python3 without venv: install it where we may, say so where we may not.
venv: $(BIN)/python
$(BIN)/python:
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(MAKE) --no-print-directory debian-venv
	$(PYTHON) -m venv $(VENV)

.PHONY: debian-venv
debian-venv:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then $(call APT,python3-venv); \
	else echo "python3 缺少 venv：请以 root 运行 apt-get install python3-venv"; exit 1; fi

# Uncompiled: Python compiles what the demonstration imports, a third of what pip would.
$(VENV)/.demo: $(BIN)/python pyproject.toml requirements.lock
	$(PIP_INSTALL) --no-compile -c requirements.lock -e '.[demo]'
	@touch $@

# Debian's own pip knows no dependency groups.
$(VENV)/.test: $(BIN)/python pyproject.toml requirements.lock
	$(PIP_INSTALL) 'pip>=25.1'
	$(PIP_INSTALL) --no-compile -c requirements.lock -e '.[all]' --group dev
	@touch $@ $(VENV)/.demo

debian:
	@missing=; for package in $(DEBIAN_TEST); do \
		dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'install ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" != 0 ]; then echo "请以 root 运行：apt-get install$$missing"; exit 1; fi; \
		$(call APT,$$missing); \
	fi

lock: $(BIN)/python
	$(PIP_INSTALL) uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
		--extra all --group dev --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
