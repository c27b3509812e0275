#!/bin/sh
# Rewrites the hash-pinned requirement files from pyproject.toml. Needs uv on the PATH.
set -eu
cd "$(dirname "$0")/.."
lock() {
    output=$1
    shift
    uv pip compile pyproject.toml "$@" --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet -o "requirements/$output"
}
lock production.txt
lock production-aws.txt --group aws -c requirements/production.txt
lock demo.txt --group reference -c requirements/production.txt
lock development.txt --group reference --group browser --group aws --group dev -c requirements/demo.txt \
    -c requirements/production-aws.txt
