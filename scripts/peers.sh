#!/usr/bin/env bash
# Brings the real servers that the tests run against into .peers/, from Debian's packages,
# unpacked and not installed. No root is needed. What can't be had is said, and its tests skip.
set -u
cd "$(dirname "$0")/.." || exit 1
mkdir -p .peers
: > .peers/env.new

say() { printf 'peers: %s\n' "$*" >&2; }

# debian NAME BINARY: unpacks Debian package NAME and prints the path of its BINARY.
debian() {
  local name=$1 binary=$2 dir=.peers/$1
  if [ ! -x "$dir/$binary" ]; then
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
    rm -rf "$dir.tmp" && mkdir -p "$dir.tmp"
    if ! (cd "$dir.tmp" && apt-get download "$name" >/dev/null 2>&1); then
      # The package lists may never have been read on this machine: read them into a folder of our own.
      local state=$PWD/.peers/apt
      mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
      apt-get -o Dir::State="$state" -o Dir::State::lists="$state/lists" -o Dir::Cache="$state/cache" \
        -o Dir::State::status=/var/lib/dpkg/status update >/dev/null 2>&1
      (cd "$dir.tmp" && apt-get -o Dir::State="$state" -o Dir::State::lists="$state/lists" -o Dir::Cache="$state/cache" \
        -o Dir::State::status=/var/lib/dpkg/status download "$name" >/dev/null 2>&1) || { rm -rf "$dir.tmp"; return 1; }
    fi
    dpkg-deb -x "$dir.tmp"/*.deb "$dir.tmp/root" || { rm -rf "$dir.tmp"; return 1; }
    rm -rf "$dir" && mv "$dir.tmp/root" "$dir" && rm -rf "$dir.tmp"
  fi
  [ -x "$dir/$binary" ] && printf '%s\n' "$PWD/$dir/$binary"
}

if path=$(debian prometheus usr/bin/prometheus) && [ -n "$path" ]; then
  printf 'export ONSALE_PROMETHEUS=%q\n' "$path" >> .peers/env.new
else
  say "SKIPPED: no Prometheus server: Debian's package 'prometheus' could not be had; its tests will skip"
fi
mv .peers/env.new .peers/env
