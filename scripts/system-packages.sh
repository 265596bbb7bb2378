#!/bin/sh
# Installs what the tests need of the system, once: Debian's Chromium with a font for the browser tests,
# systemd, D-Bus and polkit for those of the service, bubblewrap for those of the sandbox, two
# shells for those of completion. Does nothing where all is there.
set -eu

missing=""
if ! command -v chromium >/dev/null 2>&1; then
    missing="chromium fonts-dejavu-core"
fi
# Each by a file of it: most are on nobody's PATH.
while read -r package file; do
    [ -e "$file" ] || missing="$missing $package"
done <<END
systemd /lib/systemd/systemd
dbus /usr/bin/dbus-daemon
polkitd /usr/lib/polkit-1/polkitd
util-linux /usr/bin/nsenter
curl /usr/bin/curl
bubblewrap /usr/bin/bwrap
zsh /usr/bin/zsh
fish /usr/bin/fish
END

if [ -z "$missing" ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "couachgpt: the tests need these, or what your system calls them: $missing" >&2
    exit 1
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "couachgpt: the tests need more of the system; as root: apt-get install $missing" >&2
        exit 1
    fi
    as_root="sudo"
fi

echo "couachgpt: installing, once, for the tests: $missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of words
$as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
