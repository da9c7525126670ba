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
# relocated BINARY: Debian's Alertmanager looks for its templates in /usr/share, where unpacking
# puts nothing. This prints the path of a copy that looks beside itself instead: the same name,
# of the same length, without its root, started from the package's own folder.
relocated() {
  local binary=$1 root=${1%/usr/bin/*} name=/usr/share/prometheus/alertmanager
  if [ -e "$name/default.tmpl" ]; then
    printf '%s\n' "$binary"
    return
  fi
  if [ ! -x "$root/alertmanager" ]; then
    LC_ALL=C sed "s#$name#${name#/}/#g" "$binary" > "$root/relocated.tmp" && chmod +x "$root/relocated.tmp" &&
      mv "$root/relocated.tmp" "$root/relocated" || return 1
    printf '#!/bin/sh\ncd %q && exec ./relocated "$@"\n' "$root" > "$root/alertmanager.tmp" &&
      chmod +x "$root/alertmanager.tmp" && mv "$root/alertmanager.tmp" "$root/alertmanager" || return 1
  fi
  printf '%s\n' "$root/alertmanager"
}

if path=$(debian prometheus-alertmanager usr/bin/prometheus-alertmanager) && [ -n "$path" ] && path=$(relocated "$path"); then
  printf 'export ONSALE_ALERTMANAGER=%q\n' "$path" >> .peers/env.new
else
  say "SKIPPED: no Alertmanager: Debian's package 'prometheus-alertmanager' could not be had; its tests will skip"
fi

# together NAME BINARY PACKAGE...: unpacks several Debian packages into one folder, as a server and
# the libraries that a machine may lack, and prints the path of a BINARY that finds them there.
together() {
  local name=$1 binary=$2 package
  local dir=$PWD/.peers/$name
  shift 2
  if [ ! -x "$dir/run" ]; then
    rm -rf "$dir.tmp" && mkdir -p "$dir.tmp"
    for package in "$@"; do
      debian "$package" . >/dev/null || { rm -rf "$dir.tmp"; return 1; }
      cp -a ".peers/$package/." "$dir.tmp/" && rm -rf ".peers/$package"
    done
    [ -x "$dir.tmp/$binary" ] || { rm -rf "$dir.tmp"; return 1; }
    printf '#!/bin/sh\nroot=$(cd "$(dirname "$0")" && pwd)\nLD_LIBRARY_PATH=$root/usr/lib/%s-linux-gnu exec "$root/%s" "$@"\n' "$(uname -m)" "$binary" > "$dir.tmp/run" &&
      chmod +x "$dir.tmp/run" && rm -rf "$dir" && mv "$dir.tmp" "$dir" || return 1
  fi
  printf '%s\n' "$dir/run"
}

if path=$(together redis usr/bin/redis-server redis-server redis-tools liblzf1 libjemalloc2 libatomic1) && [ -n "$path" ]; then
  printf 'export ONSALE_REDIS=%q\n' "$path" >> .peers/env.new
else
  say "SKIPPED: no Redis server: Debian's packages 'redis-server' and 'redis-tools' could not be had; its tests will skip"
fi

# erlang NAME: Debian's Erlang, and what runs on it, look in /usr/lib, where unpacking puts nothing.
# This prints the path of a script that runs a program of .peers/NAME where it lies: "epmd", "rabbitmq-server".
erlang() {
  local dir=$PWD/.peers/$1 erts server
  erts=$(cd "$dir" && echo usr/lib/erlang/erts-*) && server=$(cd "$dir" && echo usr/lib/rabbitmq/lib/rabbitmq_server-*) || return 1
  mkdir -p "$dir/bin" &&
    printf '#!/bin/sh\nexec "$BINDIR/erlexec" "$@"\n' > "$dir/bin/erl" &&
    printf '#!/bin/sh\nroot=$(cd "$(dirname "$0")" && pwd)\nexport ROOTDIR="$root/usr/lib/erlang" BINDIR="$root/%s/bin" EMU=beam PROGNAME=erl\nexport PATH="$root/bin:$BINDIR:$root/%s/sbin:$PATH"\nexec "$@"\n' "$erts" "$server" > "$dir/with.tmp" &&
    chmod +x "$dir/bin/erl" "$dir/with.tmp" && mv "$dir/with.tmp" "$dir/with" || return 1
  printf '%s\n' "$dir/with"
}

if together rabbitmq usr/lib/erlang/bin/erl rabbitmq-server erlang-base erlang-asn1 erlang-crypto erlang-eldap erlang-inets erlang-mnesia \
  erlang-os-mon erlang-parsetools erlang-public-key erlang-runtime-tools erlang-ssl erlang-syntax-tools erlang-tools erlang-xmerl >/dev/null &&
  path=$(erlang rabbitmq) && [ -n "$path" ]; then
  printf 'export ONSALE_RABBITMQ=%q\n' "$path" >> .peers/env.new
else
  say "SKIPPED: no RabbitMQ server: Debian's packages 'rabbitmq-server' and 'erlang-*' could not be had; its tests will skip"
fi
mv .peers/env.new .peers/env
