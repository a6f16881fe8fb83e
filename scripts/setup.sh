#!/bin/sh
# Make .venv with everything that requirements.lock pins, and Surefoot itself in editable form.
# Called by `make setup`; PYTHON, if set, names the interpreter.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

if [ -n "${PYTHON:-}" ]; then
    if ! fits "$PYTHON"; then
        say "PYTHON=$PYTHON is not a Python 3.11 or newer that runs. Name another one, or leave PYTHON out."
        exit 1
    fi
else
    for candidate in python3.11 python3 python3.14 python3.13 python3.12; do
        if fits "$candidate"; then PYTHON=$candidate; break; fi
    done
    if [ -z "${PYTHON:-}" ]; then
        say "Surefoot needs Python 3.11 or newer, and found none on the PATH."
        say "Install one (Debian 12 or newer: apt-get install python3), or say make PYTHON=/path/to/python."
        exit 1
    fi
fi

# Debian keeps the part of venv that installs pip in a package of its own.
if ! "$PYTHON" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    if ! sh scripts/apt.sh python3-venv || ! "$PYTHON" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        say "$PYTHON cannot make virtual environments: its ensurepip is missing."
        say "On Debian, install it as root with: apt-get install python3-venv"
        exit 1
    fi
fi

# A .venv of another machine or of an older Python is made anew; a good one is kept.
if ! { [ -x .venv/bin/python ] && fits .venv/bin/python && .venv/bin/python -m pip --version; } >/dev/null 2>&1; then
    say "Making .venv with $("$PYTHON" --version)."
    "$PYTHON" -m venv --clear .venv
fi

say "Installing what requirements.lock pins (a minute or two the first time)."
.venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
.venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
