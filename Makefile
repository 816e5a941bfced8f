.PHONY: setup test test-slow check fix bench-training bench-trials bench-decisions bench-statistics bench-data bench-peers bench-quality docs

setup:            ## install the package and what its tests need
	pip install -q -c constraints.txt -e ".[test]"

test: setup       ## install, then the default suite (about four minutes on two cores)
	python -m pytest -q -n 2 -m "not slow and not fault"

test-slow: setup  ## the slower tests, and those that kill processes and fill disks
	python -m pytest -q -n 2 -m "slow or fault"

check:            ## linters, types, floors
	ruff check .
	ruff format --check .
	pyright
	lint-imports

fix:              ## what a machine can mend
	ruff check --fix .
	ruff format .

bench-training:   ## tokens per second beside Hugging Face Llama, into bench/RESULTS.md
	python bench/training.py $(if $(NANOGPT),--nanogpt "$(NANOGPT)")
	python bench/wall_clock.py $(if $(NANOGPT),--nanogpt "$(NANOGPT)") $(if $(DATA),--text "$(DATA)")

bench-trials:     ## many small trials: a pool, a stack, and Hugging Face Llama one after another, into bench/RESULTS.md
	python bench/trials.py

bench-decisions:  ## predictions and decisions on published run tables, into bench/RESULTS.md; TABLES=FOLDER with tasks.csv
	python bench/decisions.py $(TABLES)
	python bench/decisions.py $(TABLES) --calibrate
	python bench/decisions.py $(TABLES) --cross-validate
	python bench/allocation.py $(TABLES)

bench-statistics: ## measured coverage of every interval and of adoption, into docs/statistics.md, search.md, allocation.md
	python bench/coverage.py --write
	python bench/curves.py --write
	python bench/response.py --write
	python bench/pruning.py --write
	python bench/adaptive.py --write

bench-data:       ## corpus jobs beside other libraries, into bench/RESULTS.md; DATA=FOLDER of text, PEERS=DIR of bench-peers
	python bench/data.py $(if $(DATA),--text "$(DATA)") $(if $(PEERS),--peers "$(PEERS)")

bench-peers:      ## the libraries that bench-data compares with, each group in an environment below PEERS=DIR (about 1 GB)
	python bench/peers/install.py $(or $(PEERS),build/peers)

bench-quality:    ## what is found in labelled sets, into bench/RESULTS.md; LABELLED=FOLDER and CORPORA=FOLDER
	python bench/quality.py "$(LABELLED)" "$(CORPORA)" $(if $(PEERS),--peers "$(PEERS)")
