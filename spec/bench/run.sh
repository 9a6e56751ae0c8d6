#!/bin/sh
# Measures each part beside its yardstick, in one run, and prints ratios:
#
#   sh spec/bench/run.sh [LUA...]      default: lua5.4 luajit
#
# Builds in build/<lua> and leaves the yardsticks (small C programs) in build/bench.
# Compare the ratios; the times depend on the machine and on what else it does.

set -eu
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- lua5.4 luajit
mkdir -p build/bench

yardstick () {
  name=$1
  shift
  cc -O2 -w -D_GNU_SOURCE -o "build/bench/$name" "spec/bench/$name.c" "$@"
}

yardstick sign_limit -lcrypto
yardstick warm_limit -lcurl

for lua in "$@"; do
  cmake -S . -B "build/$lua" -DSAGEMAKER_LUA="$lua" -DSAGEMAKER_TESTS=ON >build/bench/build.log
  cmake --build "build/$lua" -j2 >>build/bench/build.log
  export LUA_PATH="$PWD/lua/?.lua;$PWD/lua/?/init.lua;$PWD/spec/?.lua;$PWD/spec/?/init.lua;;"
  export LUA_CPATH="$PWD/build/$lua/?.so;;" SAGEMAKER_BUILD="$PWD/build/$lua"
  for part in sign encode decode load warm many instructions watchers; do
    printf '\n== %s: %s\n' "$lua" "$part"
    if [ "$part" = load ]; then
      "$lua" "spec/bench/$part.lua" 21 "$lua"
    else
      "$lua" "spec/bench/$part.lua"
    fi
  done
done

if python3 -c 'import boto3' 2>/dev/null; then
  printf '\n== for comparison\n'
  python3 spec/bench/boto3.py
fi
