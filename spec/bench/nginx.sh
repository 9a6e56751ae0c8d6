#!/bin/sh
# What the library costs inside one nginx worker, whether waiting calls hold
# others up, and whether memory stays flat:
#
#   sh spec/bench/nginx.sh                 all three
#   sh spec/bench/nginx.sh rates [ROUNDS [SECONDS]]
#   sh spec/bench/nginx.sh waiting [ROUNDS]
#   sh spec/bench/nginx.sh soak [CALLS]
#
# Needs nginx with its Lua module, luajit, wrk, and the build for luajit
# (sh spec/run.sh luajit). Everything is compared within one run.

set -eu
cd "$(dirname "$0")/../.."
command -v wrk >/dev/null || { echo "wrk is not installed" >&2; exit 2; }
[ -e build/luajit/sagemaker/core.so ] || { echo "first: sh spec/run.sh luajit" >&2; exit 2; }

export LUA_PATH="$PWD/lua/?.lua;$PWD/lua/?/init.lua;$PWD/spec/?.lua;$PWD/spec/?/init.lua;;"
export LUA_CPATH="$PWD/build/luajit/?.so;;"

what=${1-all}
[ $# -eq 0 ] || shift
case $what in
rates) luajit spec/bench/nginx/rates.lua "$@" ;;
waiting) luajit spec/bench/nginx/waiting.lua "$@" ;;
soak) luajit spec/bench/nginx/soak.lua "$@" ;;
all)
  luajit spec/bench/nginx/rates.lua
  luajit spec/bench/nginx/waiting.lua
  luajit spec/bench/nginx/soak.lua
  ;;
*) echo "unknown: $what" >&2; exit 2 ;;
esac
