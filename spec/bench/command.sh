#!/bin/sh
# Measures the installed command, cold, beside a C program with the same libcurl and beside the AWS
# CLI that is first on the path:
#
#   sh spec/bench/command.sh [ROUNDS]
#
# Builds for lua5.4 and installs into build/bench/installed. Compare the ratios.

set -eu
cd "$(dirname "$0")/../.."
mkdir -p build/bench
cc -O2 -w -D_GNU_SOURCE -o build/bench/command_timer spec/bench/command_timer.c
cc -O2 -w -D_GNU_SOURCE -o build/bench/command_limit spec/bench/command_limit.c -lcurl -lcrypto
cmake -S . -B build/lua5.4 -DSAGEMAKER_LUA=lua5.4 -DSAGEMAKER_TESTS=ON >build/bench/build.log
cmake --build build/lua5.4 -j2 >>build/bench/build.log
cmake --install build/lua5.4 --prefix "$PWD/build/bench/installed" >>build/bench/build.log
lua5.4 spec/bench/command.lua "$PWD/build/bench/installed/bin/sagemaker" \
  "$PWD/build/bench/command_timer" "$PWD/build/bench/command_limit" ${1-}
