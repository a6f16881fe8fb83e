#!/bin/sh
# Have a chromium for the browser tests: the one on the PATH, or Debian's, installed when we may.
# Always exits with 0: without a chromium the browser tests are skipped, and this says so loudly.
set -eu
cd "$(dirname "$0")/.."

if command -v "${SUREFOOT_CHROMIUM:-chromium}" >/dev/null 2>&1; then exit 0; fi
if [ -n "${SUREFOOT_CHROMIUM:-}" ]; then
    echo "SUREFOOT_CHROMIUM=$SUREFOOT_CHROMIUM is not a program that can be run." >&2
elif sh scripts/apt.sh chromium && command -v chromium >/dev/null 2>&1; then
    exit 0
fi
stars="****************************************************************"
cat >&2 <<END

$stars
  THE BROWSER TESTS WILL BE SKIPPED.
  There is no chromium here, and it could not be installed.
  To run them: apt-get install chromium (as root),
  or name one: SUREFOOT_CHROMIUM=/path/to/chromium make test
$stars

END
