#!/bin/sh
# From a fresh Debian machine to a canary deployment and a roll-back, in one command:
#
#   sh examples/quickstart.sh
#
# Installs the Debian packages that are needed (as root or with passwordless sudo; otherwise it
# prints the line to run), builds into build/quickstart, and runs examples/quickstart/quickstart.lua
# on the built-in simulator: no AWS account, no network.
set -eu

cd "$(dirname "$0")/.."

. spec/support/packages.sh
build=build/quickstart

# True when everything that the build and the example need is there, wherever it came from.
ready () {
  for command in cmake make pkg-config lua5.4; do
    command -v "$command" >/dev/null 2>&1 || return 1
  done
  command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1 || return 1
  pkg-config --exists lua5.4 libcrypto libcurl || return 1
  lua5.4 -e 'require "cjson"' >/dev/null 2>&1
}

mkdir -p "$build"
if ! ready; then
  install_packages "$build/install.log" $(build_packages) || exit 1
  if ! ready; then
    echo "Needed: CMake, make, a C compiler, pkg-config, Lua 5.4 with headers, lua-cjson, and" >&2
    echo "libcrypto (OpenSSL 3) and libcurl with headers. On Debian:" >&2
    echo "  apt-get install $(build_packages)" >&2
    exit 1
  fi
fi

[ -e "$build/sagemaker/core.so" ] || echo "Building into $build …"
if ! { cmake -S . -B "$build" -DSAGEMAKER_LUA=lua5.4 && cmake --build "$build"; } \
    >"$build/build.log" 2>&1; then
  tail -n 40 "$build/build.log" >&2
  echo "The build failed; all of its output is in $build/build.log" >&2
  exit 1
fi

LUA_PATH="lua/?.lua;lua/?/init.lua;;" LUA_CPATH="$build/?.so;;" \
  exec lua5.4 examples/quickstart/quickstart.lua
