#!/bin/sh
# Have Ipopt as a peer in the comparisons: cyipopt from source, against Debian's Ipopt, installed when we may.
# Always exits with 0: without it the comparisons leave Ipopt out, and this says so loudly.
set -eu
cd "$(dirname "$0")/.."

python=.venv/bin/python

there() { "$python" -c 'import cyipopt' >/dev/null 2>&1; }

build() {
    log=$(mktemp)
    if ! "$python" -m pip install -qq --disable-pip-version-check --require-hashes --no-deps --no-build-isolation \
            -r benchmarks/ipopt.lock >"$log" 2>&1; then
        tail -n 20 "$log" >&2
    fi
    rm -f "$log"
}

if there; then exit 0; fi
if ! { command -v pkg-config && command -v cc && pkg-config --exists ipopt; } >/dev/null 2>&1; then
    sh scripts/apt.sh build-essential pkg-config coinor-libipopt-dev liblapack-dev libblas-dev || true
fi
if ! "$python" -c 'import sysconfig, os; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null; then
    sh scripts/apt.sh python3-dev || true
fi
build
if there; then exit 0; fi
stars="****************************************************************"
cat >&2 <<END

$stars
  THE COMPARISONS WILL LEAVE IPOPT OUT.
  There is no cyipopt here, and it could not be built.
  To have it: apt-get install build-essential pkg-config
  coinor-libipopt-dev liblapack-dev libblas-dev (as root),
  and make ipopt again.
$stars

END
