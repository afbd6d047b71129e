# What a contributor types. PYTHON picks the interpreter, 3.11 or newer: make test PYTHON=python3.12
PYTHON ?= python3
BIN := .venv/bin
MODELS ?= large base
COMPILE := $(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --no-annotate --no-emit-index-url --no-emit-find-links \
  --no-emit-trusted-host --no-header --constraint requirements/torch.in $(if $(UPGRADE),--upgrade) pyproject.toml

.PHONY: help demo test check format bench pretrained paper picture reference lock clean

help:  ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /make \1: /p' Makefile

demo: .venv/installed-train  ## train, test and try a small network; CORPUS=ravdess=PATH takes a real corpus
	$(BIN)/emogram demo $(if $(CORPUS),--corpus "$(CORPUS)")

test: .venv/installed-dev  ## run every test; EMOGRAM_DATA=PATH adds those on real audio
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: .venv/installed-dev  ## formatting, lint, types, import contracts
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports

format: .venv/installed-dev  ## put the code into the house format
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: .venv/installed-dev  ## measure speed, side by side with what one would use instead; NAME=logmel runs one
	$(BIN)/python -m benchmarks $(NAME)

pretrained: .venv/installed-train  ## train the bundled models from EMOGRAM_DATA=PATH, resumable; MODELS=base, OPTIONS="--jobs 2"
	$(BIN)/emogram train configurations/whisper-cnn-others.yaml --corpus tess="$(EMOGRAM_DATA)/tess" --corpus emodb="$(EMOGRAM_DATA)/emodb" \
	  transfer.source="$(EMOGRAM_DATA)/weights/whisper-tiny.en-encoder.safetensors" \
	  distillation.teacher="$(EMOGRAM_DATA)/weights/whisper-tiny.en-encoder.safetensors" \
	  distillation.noise.background.folder="$(EMOGRAM_DATA)/esc10" -o pretrained/others
	for model in $(MODELS); do \
	  $(BIN)/emogram pretrain configurations/pretrained/$$model.yaml $(OPTIONS) && \
	  cp pretrained/$$model/model.onnx $$(test $$model = base && echo src/emogram/recognition/models || echo models/$$model/src/emogram_$$model)/$$model.onnx && \
	  mkdir -p docs/results/pretrained-$$model && cp pretrained/$$model/results/* docs/results/pretrained-$$model/ || exit 1; \
	done
	$(BIN)/python -m docs.card

paper: .venv/installed-dev  ## set docs/paper (paper and talk) from docs/results
	$(BIN)/emogram paper --results docs/results -o docs/paper

picture: .venv/installed-train  ## draw the README's picture again
	$(BIN)/python docs/images/spectrograms.py

reference: .venv/installed-train  ## write docs/reference again, from docstrings and settings
	$(BIN)/python -m docs.reference

lock: .venv/installed-dev  ## make requirements/*.txt again; UPGRADE=1 takes newer releases
	for extra in base train dev; do \
	  $(COMPILE) --output-file requirements/$$extra.txt $$(test $$extra = base || echo --extra $$extra --constraint requirements/base.txt) && \
	  sed -i.bak -E -e 's/\+cpu$$//' -e '/^(nvidia|cuda|triton|pip=|emogram|#|$$)/d' requirements/$$extra.txt && rm requirements/$$extra.txt.bak || exit 1; \
	done

clean:  ## remove what these commands made, but no runs
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist

.venv/installed-%: requirements/%.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("emogram needs Python 3.11 or newer: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement $<
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@
