#!/bin/sh
# The tests of what is read from JAX (problem/from_jax.py), with the oldest JAX that pyproject.toml declares, in a small
# virtual environment of its own: .oldest-jax, made from oldest-jax.lock.
# Without a registry to install it from, the tests are skipped, and this says so loudly.
set -eu
cd "$(dirname "$0")/.."

stars="****************************************************************"
python=.oldest-jax/bin/python

if ! cmp -s oldest-jax.lock .oldest-jax/installed.lock || ! "$python" -c 'import jax' >/dev/null 2>&1; then
    echo "Making .oldest-jax with what oldest-jax.lock pins." >&2
    .venv/bin/python -m venv --clear .oldest-jax
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    if ! "$python" -m pip install -qq --disable-pip-version-check --retries 2 --timeout 15 --require-hashes --no-deps \
            -r oldest-jax.lock >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        if grep -qiE 'connect|timed? ?out|name resolution|network|unreachable|proxy' "$log"; then
            cat >&2 <<END

$stars
  THE OLDEST JAX IS NOT TESTED.
  The package registry cannot be reached to install it from.
  To test it: make oldest-jax, where there is a network.
$stars

END
            exit 0
        fi
        echo "What oldest-jax.lock pins could not be installed; the last lines are above. Try: make lock" >&2
        exit 1
    fi
    cp oldest-jax.lock .oldest-jax/installed.lock
fi

"$python" -c 'import jax; print("What is read from JAX, with JAX", jax.__version__)'
# Without the conftest files, which need more libraries than these tests.
PYTHONPATH=src exec "$python" -m pytest -q --noconftest -p no:cacheprovider tests/problem/test_from_jax.py
