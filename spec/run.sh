#!/bin/sh
# Builds the project and runs everything that must be green:
#
#   sh spec/run.sh              all of it
#   sh spec/run.sh lua5.4       the specs of one Lua (or several), nothing else
#   sh spec/run.sh core         only the C tests, sanitizers and fuzz corpora
#   sh spec/run.sh lint         only the style checks
#
# On Debian it installs the packages that it needs when it may; elsewhere, or
# where it may not, it says what is missing. SAGEMAKER_SPEC_ARGS is handed to
# busted. The last line is "N passed, N failed"; the exit status is 0 only when
# nothing failed.

set -u
cd "$(dirname "$0")/.." || exit 2
LUAS="lua5.1 lua5.2 lua5.3 lua5.4 luajit"
build=build
logs=$build/logs
passed=0
failed=0

mkdir -p "$logs"
. spec/support/packages.sh

say () {
  printf '\n== %s\n' "$*"
}

# check NAME COMMAND...: one check, whose output is shown only when it fails.
check () {
  check_name=$1
  shift
  if "$@" >"$logs/check.log" 2>&1; then
    passed=$((passed + 1))
    echo "ok   $check_name"
  else
    failed=$((failed + 1))
    echo "FAIL $check_name"
    tail -n 60 "$logs/check.log"
  fi
}

# configure DIR LUA [OPTION...]: builds for one Lua.
configure () {
  dir=$1
  lua=$2
  shift 2
  cmake -S . -B "$dir" -DSAGEMAKER_LUA="$lua" "$@" && cmake --build "$dir" -j2
}

# add_busted_counts FILE: adds what busted's summary line says.
add_busted_counts () {
  counts=$(sed -n 's/^\([0-9]*\) success[a-z]* \/ \([0-9]*\) failure[s]* \/ \([0-9]*\) error[s]* .*/\1 \2 \3/p' "$1" | tail -n 1)
  if [ -z "$counts" ]; then
    failed=$((failed + 1))
    echo "FAIL busted did not reach its summary"
    return
  fi
  set -- $counts
  passed=$((passed + $1))
  failed=$((failed + $2 + $3))
}

# add_test_counts FILE: adds what the C tests' "N passed, N failed" lines say.
add_test_counts () {
  set -- $(awk '/^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3 } END { print p + 0, f + 0 }' "$1")
  passed=$((passed + $1))
  failed=$((failed + $2))
}

# The secrets that the specs and the vectors give to the library: values of
# eight characters or more, with a capital, a digit or a hyphen (a plain word
# may be said for another reason).
secrets () {
  name="([Ss]ecret_?[Aa]ccess_?[Kk]ey|SECRET_ACCESS_KEY|SecretAccessKey"
  name="$name|(session|access|refresh|Session|Access|Refresh)_?[Tt]oken"
  name="$name|SESSION_TOKEN|SECURITY_TOKEN|AUTHORIZATION_TOKEN|clientSecret)"
  rows=../shared/conformance
  for place in spec "$rows/golden/credentials.jsonl" "$rows/credentials"; do
    [ -e "$place" ] && grep -rhoE "$name[\\\"']*\]? *[=:] *[\\\"']*[A-Za-z0-9/+_-]{8,}" "$place"
  done | sed "s/^[^=:]*[=:][ \\\"']*//" | grep "[A-Z0-9-]" | sort -u
}

# keeps_secrets FILE...: none of them is in these files, which are not empty
# unless busted was told what to run. Says where, not what.
keeps_secrets () {
  secrets >"$logs/secrets.txt"
  [ -s "$logs/secrets.txt" ] || { echo "no secrets to look for"; return 1; }
  for said in "$@"; do
    if [ ! -s "$said" ]; then
      [ -n "${SAGEMAKER_SPEC_ARGS-}" ] && continue
      echo "$said is empty"
      return 1
    fi
    found=$(grep -anoFf "$logs/secrets.txt" "$said" | cut -d: -f1 | sort -nu | head -n 20)
    [ -z "$found" ] || { echo "secrets in $said, lines" $found; return 1; }
  done
}

# run_busted LUA BUILD LABEL [SPEC...]: the specs with one Lua and one build.
run_busted () {
  lua=$1
  dir=$2
  log=$logs/$3.log
  overheard=$logs/overheard-$3.txt
  shift 3
  rm -f "$overheard"
  LUA_PATH="$PWD/lua/?.lua;$PWD/lua/?/init.lua;;" LUA_CPATH="$PWD/$dir/?.so;;" \
    SAGEMAKER_BUILD="$PWD/$dir" SAGEMAKER_LUA="$lua" \
    SAGEMAKER_OVERHEARD="$PWD/$overheard" \
    "$lua" /usr/bin/busted --output=plainTerminal ${SAGEMAKER_SPEC_ARGS-} "$@" >"$log" 2>&1
  sed -n '/^  *\[/p; /^    skipped/p; /^[0-9]* success/,$p' "$log" | cut -c1-300
  add_busted_counts "$log"
  check "no secret in what the specs and the library said ($lua)" \
    keeps_secrets "$log" "$overheard"
}

specs_of () {
  say "specs: $1"
  if ! configure "$build/$1" "$1" -DSAGEMAKER_TESTS=ON >"$logs/build-$1.log" 2>&1; then
    failed=$((failed + 1))
    echo "FAIL build for $1"
    tail -n 40 "$logs/build-$1.log"
    return
  fi
  [ "$1" = luajit ] && install_node "$build/node" "$logs/npm.log"
  run_busted "$1" "$build/$1" "$1"
}

# The libraries that must be in a process before it starts, for a sanitized
# module in an ordinary Lua.
sanitizer_preload () {
  echo "$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
}

core_tests () {
  say "C tests with ASan and UBSan"
  dir=$build/asan
  if ! configure "$dir" lua5.4 -DCMAKE_BUILD_TYPE=Debug -DSAGEMAKER_TESTS=ON \
    -DSAGEMAKER_SANITIZE=address,undefined >"$logs/build-asan.log" 2>&1; then
    failed=$((failed + 1))
    echo "FAIL sanitized build"
    tail -n 40 "$logs/build-asan.log"
    return
  fi
  for test in "$dir"/test_* "$dir"/lua_test_*; do
    [ -x "$test" ] && [ -f "$test" ] || continue
    if "$test" >"$logs/c.log" 2>&1; then
      printf 'ok   %s: %s\n' "$(basename "$test")" "$(tail -n 1 "$logs/c.log")"
      add_test_counts "$logs/c.log"
    else
      failed=$((failed + 1))
      echo "FAIL $(basename "$test")"
      tail -n 40 "$logs/c.log"
    fi
  done

  say "specs with ASan, UBSan and a restless garbage collector"
  LD_PRELOAD=$(sanitizer_preload) ASAN_OPTIONS=detect_leaks=0 SAGEMAKER_TORTURE=1 \
    run_busted lua5.4 "$dir" asan-lua5.4

  if command -v clang >/dev/null; then
    say "fuzz corpora"
    if configure "$build/fuzz" lua5.4 -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug \
      -DSAGEMAKER_FUZZ=ON -DSAGEMAKER_SANITIZE=address,undefined >"$logs/build-fuzz.log" 2>&1; then
      for target in "$build"/fuzz/fuzz_*; do
        [ -x "$target" ] && [ -f "$target" ] || continue
        name=$(basename "$target")
        mkdir -p "$build/fuzz/found/$name"
        check "$name" "$target" -runs=2000 -max_total_time=20 -seed=1 \
          "$build/fuzz/found/$name" "csrc/fuzz/corpus/${name#fuzz_}"
      done
    else
      failed=$((failed + 1))
      echo "FAIL fuzz build"
      tail -n 40 "$logs/build-fuzz.log"
    fi
  fi
}

format_check () {
  clang-format --dry-run --Werror csrc/*.c csrc/*.h csrc/test/*.[ch] csrc/fuzz/*.[ch]
}

lint () {
  say "style"
  check "luacheck" luacheck -q lua spec examples csrc/model rockspec --no-cache
  check "clang-format" format_check
  if [ -d ../shared/models ]; then
    check "generated tables are up to date" \
      lua5.4 csrc/model/generate.lua --check ../shared/models
  fi
}

# LuaRocks builds where the sources are, so it gets a copy of them.
rock () {
  say "LuaRocks"
  rm -rf "$build/rock"
  mkdir -p "$build/rock/source"
  cp -R csrc lua rockspec "$build/rock/source"
  check "luarocks make" sh -c "cd '$build/rock/source' && luarocks --lua-version=5.4 --tree=.. \
    make --deps-mode=none rockspec/sagemaker-scm-1.rockspec"
  check "the rock works and exports its luaopen functions only" env -u LUA_PATH -u LUA_CPATH sh -c "
    LUA_PATH='$PWD/$build/rock/share/lua/5.4/?.lua;$PWD/$build/rock/share/lua/5.4/?/init.lua;;' \
    LUA_CPATH='$PWD/$build/rock/lib/lua/5.4/?.so;;'
    export LUA_PATH LUA_CPATH
    cd / && lua5.4 -e 'local s = require \"sagemaker\"
      assert(s.new{ transport = s.simulator.new() }:list_endpoints{})
      assert(#require \"sagemaker.core\".sha256 \"\" == 64)' &&
    for name in core crypto curl; do
      nm -D --defined-only '$PWD/$build/rock/lib/lua/5.4/sagemaker/'\$name.so |
        grep -v ' luaopen_sagemaker_' && exit 1
    done
    exit 0"
  # A tree that LuaRocks does not know by its configuration is named by the paths.
  check "the rock's command works" sh -c "cd / && \
    LUA_PATH='$PWD/$build/rock/share/lua/5.4/?.lua;$PWD/$build/rock/share/lua/5.4/?/init.lua;;' \
    LUA_CPATH='$PWD/$build/rock/lib/lua/5.4/?.so;;' \
    '$PWD/$build/rock/bin/sagemaker' delete-endpoint --generate-cli-skeleton | grep EndpointName"
}

examples () {
  say "examples"
  check "sh examples/quickstart.sh" sh examples/quickstart.sh
  check "examples/configuration/whoami.lua" env AWS_ACCESS_KEY_ID=AKIDEXAMPLE \
    AWS_SECRET_ACCESS_KEY=secret AWS_REGION=eu-west-1 LUA_PATH="lua/?.lua;lua/?/init.lua;;" \
    LUA_CPATH="$build/quickstart/?.so;;" lua5.4 examples/configuration/whoami.lua
  check "examples/simulator/invocations.lua" env LUA_PATH="lua/?.lua;lua/?/init.lua;;" \
    LUA_CPATH="$build/quickstart/?.so;;" lua5.4 examples/simulator/invocations.lua
  for name in deployments with_luv with_cqueues; do
    check "examples/many-calls/$name.lua" env LUA_PATH="lua/?.lua;lua/?/init.lua;;" \
      LUA_CPATH="$build/quickstart/?.so;;" lua5.4 "examples/many-calls/$name.lua"
  done
  check "sh examples/simulator/server.sh" env LUA_PATH="lua/?.lua;lua/?/init.lua;;" \
    LUA_CPATH="$build/quickstart/?.so;$build/luajit/?.so;;" sh examples/simulator/server.sh
  check "examples/invoke/invoke.lua" env LUA_PATH="lua/?.lua;lua/?/init.lua;;" \
    LUA_CPATH="$build/quickstart/?.so;;" lua5.4 examples/invoke/invoke.lua
  # nginx, which runs the simulator as a server, has LuaJIT.
  check "build for LuaJIT" configure "$build/luajit" luajit -DSAGEMAKER_TESTS=ON
  check "cmake --install for LuaJIT" cmake --install "$build/luajit" --prefix "$PWD/$build/installed"
  check "cmake --install" cmake --install "$build/quickstart" --prefix "$PWD/$build/installed"
  check "sh examples/command/tour.sh" env -u LUA_PATH -u LUA_CPATH \
    SAGEMAKER="$PWD/$build/installed/bin/sagemaker" sh examples/command/tour.sh
  check "sh examples/command/deploy.sh" env -u LUA_PATH -u LUA_CPATH \
    SAGEMAKER="$PWD/$build/installed/bin/sagemaker" sh examples/command/deploy.sh
}

case "${1-}" in
"")
  install_packages "$logs/install.log" $(spec_packages) || exit 2
  for lua in $LUAS; do
    specs_of "$lua"
  done
  core_tests
  lint
  rock
  examples
  ;;
core) core_tests ;;
lint) lint ;;
rock) rock ;;
examples) examples ;;
*)
  for lua in "$@"; do
    specs_of "$lua"
  done
  ;;
esac

printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
