#!/bin/sh
# The simulator as a server beside moto (where it is installed): how many signed DescribeEndpoint
# of 1,000 endpoints that are deploying it answers in a second, in how much memory; and a crowd of
# 64 clients with faults for a minute. Compares in one run.
#
#   sh spec/bench/simulator.sh [SECONDS of a round] [SECONDS of the crowd]
set -u
cd "$(dirname "$0")/../.." || exit 2
round=${1:-5}
crowd=${2:-60}
LUA_PATH="$PWD/lua/?.lua;$PWD/lua/?/init.lua;;"
LUA_CPATH="$PWD/build/luajit/?.so;;"
export LUA_PATH LUA_CPATH
dir=$(mktemp -d)
trap 'for pid in $pids; do kill "$pid" 2>/dev/null; done; rm -rf "$dir"' EXIT
pids=

# start OPTION...: the simulator; sets url and server.
start () {
  : >"$dir/simulator"
  luajit -e 'os.exit(require("sagemaker.simulator.server.launch").main(arg))' - --port 0 "$@" \
    >"$dir/simulator" 2>&1 </dev/null &
  pids="$pids $!"
  until url=$(grep -o -m1 'http://[0-9.:]*' "$dir/simulator"); do sleep 0.05; done
  server=$(curl -sS "$url/_simulator/state" | grep -o '"process":[0-9]*' | cut -d: -f2)
}

# rate: requests a second of the server at $url.
rate () {
  REQUESTS=$dir/requests.lua wrk -t1 -c16 -d"$round" -s spec/bench/simulator_wrk.lua "$url/" \
    >"$dir/wrk"
  grep -q 'Non-2xx' "$dir/wrk" && cat "$dir/wrk" >&2
  awk '/^Requests\/sec/ { print $2 }' "$dir/wrk"
}

memory () {
  awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}

start --clock virtual
luajit spec/bench/simulator.lua "$url" 1000 "$dir/requests.lua" || exit 1
ours=$(rate)
again=$(rate)
our_memory=$(memory "$server")
echo "simulator: $ours and $again requests/s, $our_memory KB with 1,000 endpoints deploying"

if command -v moto_server >/dev/null; then
  port=$(luajit -e 'print(require("sagemaker.core").process.port("127.0.0.1", 0))')
  moto_server -H 127.0.0.1 -p "$port" >"$dir/moto" 2>&1 &
  moto=$!
  pids="$pids $moto"
  url=http://127.0.0.1:$port
  until curl -sS -o /dev/null "$url/moto-api/" 2>/dev/null; do sleep 0.1; done
  luajit spec/bench/simulator.lua "$url" 100 "$dir/requests.lua" || exit 1
  theirs=$(rate)
  their_memory=$(memory "$(pgrep -P $moto || echo $moto)")
  echo "moto:      $theirs requests/s, $their_memory KB with 100 endpoints"
  awk -v a="$ours" -v b="$theirs" -v c="$our_memory" -v d="$their_memory" 'BEGIN {
    printf "ratio:     %.0f x as many (goal 40 x), %.2f of the memory (goal 0.20)\n", a / b, c / d }'
else
  echo "moto is not installed: no ratio"
fi

start --speed 100 --provisioning-seconds 30
luajit spec/support/crowd.lua "$url" 64 "$crowd" "$dir/crowd" '{"drop":{"chance":0.05},
  "truncate":{"chance":0.03},"reset":{"chance":0.03},"throttle":{"chance":0.05},
  "latency":{"distribution":"lognormal","median":0.004,"p99":0.1}}' >"$dir/said" || exit 1
luajit spec/support/crowd_check.lua "$url" "$dir/crowd"
