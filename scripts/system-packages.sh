#!/bin/sh
# Installs Debian's Chromium and a font for the browser tests; does nothing where one is there.
set -eu

for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then
        exit 0
    fi
done

if ! command -v apt-get >/dev/null 2>&1; then
    echo "couachgpt: the browser tests need Chromium; install it with your system's packages" >&2
    exit 1
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "couachgpt: the browser tests need Chromium; as root: apt-get install chromium" >&2
        exit 1
    fi
    as_root="sudo"
fi

echo "couachgpt: installing chromium and fonts-dejavu-core, once, for the browser tests"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
$as_root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
