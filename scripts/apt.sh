#!/bin/sh
# Install Debian packages when this machine lets us: as root, or by sudo that asks for no password.
# Exit code 1 if it may not or cannot; what was tried is said on standard error.
set -eu

if ! command -v apt-get >/dev/null 2>&1; then
    echo "Not a Debian machine (no apt-get), so $* cannot be installed from here." >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    echo "Neither root nor a user of sudo without a password, so $* cannot be installed from here." >&2
    exit 1
fi

echo "Installing Debian's $*." >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "apt-get could not install $*; its last lines are above." >&2
    exit 1
fi
