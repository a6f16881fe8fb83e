#!/bin/sh
# Have a PostgreSQL server for the database tests: the one that is here, or Debian's, installed when we may.
# Always exits with 0: without a server its tests are skipped, and this says so loudly.
set -eu
cd "$(dirname "$0")/.."

there() {
    if [ -n "${SUREFOOT_POSTGRESQL:-}" ]; then [ -x "$SUREFOOT_POSTGRESQL/postgres" ]; return; fi
    command -v postgres >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1
}

if there; then exit 0; fi
if [ -n "${SUREFOOT_POSTGRESQL:-}" ]; then
    echo "SUREFOOT_POSTGRESQL=$SUREFOOT_POSTGRESQL is not a folder with the program postgres." >&2
elif sh scripts/apt.sh postgresql && there; then
    exit 0
fi
stars="****************************************************************"
cat >&2 <<END

$stars
  THE POSTGRESQL TESTS WILL BE SKIPPED.
  There is no PostgreSQL server here, and it could not be installed.
  To run them: apt-get install postgresql (as root), or name one:
  SUREFOOT_POSTGRESQL=/folder/with/the/programs make test
$stars

END
