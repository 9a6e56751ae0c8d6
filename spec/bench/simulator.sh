#!/bin/sh
# The simulator as a server beside moto (where it is installed): how many signed DescribeEndpoint
# of 1,000 endpoints that are deploying it answers in a second, in how much memory; and a crowd of
# 64 clients with faults for a minute. Compares in one run.
#
#   sh spec/bench/simulator.sh [SECONDS of a round] [SECONDS of the crowd]
set -u
cd "$(dirname "$0")/../.." || exit 2
seconds=${1:-5}
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

# round NAME URL PID: lets wrk ask, and notes "requests/s, microseconds of CPU per request".
round () {
  before=$(awk '{ print $14 + $15 }' "/proc/$3/stat")
  REQUESTS=$dir/$1.lua wrk -t1 -c16 -d"$seconds" -s spec/bench/simulator_wrk.lua "$2/" >"$dir/wrk"
  grep 'Non-2xx' "$dir/wrk" >&2
  after=$(awk '{ print $14 + $15 }' "/proc/$3/stat")
  awk -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" '
    / requests in / { n = $1 }
    /^Requests\/sec/ { printf "%.0f %.1f\n", $2, 1e6 * ticks / hz / n }' "$dir/wrk" >>"$dir/$1.rounds"
}

# median COLUMN NAME
median () {
  sort -n -k"$1" "$dir/$2.rounds" | awk -v c="$1" '{ v[NR] = $c } END { print v[int((NR + 1) / 2)] }'
}

memory () {
  awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}

start --clock virtual
ours=$url
luajit spec/bench/simulator.lua "$ours" 1000 "$dir/simulator.lua" || exit 1
round simulator "$ours" "$server" # a first one, to warm up
: >"$dir/simulator.rounds"

if command -v moto_server >/dev/null; then
  port=$(luajit -e 'print(require("sagemaker.core").process.port("127.0.0.1", 0))')
  moto_server -H 127.0.0.1 -p "$port" >"$dir/moto" 2>&1 &
  moto=$!
  pids="$pids $moto"
  theirs=http://127.0.0.1:$port
  until curl -sS -o /dev/null "$theirs/moto-api/" 2>/dev/null; do sleep 0.1; done
  luajit spec/bench/simulator.lua "$theirs" 1000 "$dir/moto.lua" || exit 1
  moto=$(pgrep -P $moto || echo $moto)
fi
for turn in 1 2 3; do
  round simulator "$ours" "$server"
  [ -z "${moto-}" ] || round moto "$theirs" "$moto"
done
for name in simulator moto; do
  [ -s "$dir/$name.rounds" ] || continue
  pid=$server
  [ $name = moto ] && pid=$moto
  printf '%-10s %6s requests/s, %7s us of CPU for each, %6s KB with 1,000 endpoints\n' $name \
    "$(median 1 $name)" "$(median 2 $name)" "$(memory "$pid")"
done
if [ -n "${moto-}" ]; then
  echo "$(median 1 simulator) $(median 1 moto) $(median 2 simulator) $(median 2 moto)" \
    "$(memory "$server") $(memory "$moto")" | awk '{
    printf "ratio      %.0f x the requests, %.0f x by CPU (goal 40 x); ", $1 / $2, $4 / $3
    printf "%.2f of the memory (goal 0.20)\n", $5 / $6 }'
else
  echo "moto is not installed: no ratio"
fi

start --speed 100 --provisioning-seconds 30
luajit spec/support/crowd.lua "$url" 64 "$crowd" "$dir/crowd" '{"drop":{"chance":0.05},
  "truncate":{"chance":0.03},"reset":{"chance":0.03},"throttle":{"chance":0.05},
  "latency":{"distribution":"lognormal","median":0.004,"p99":0.1}}' >"$dir/said" || exit 1
luajit spec/support/crowd_check.lua "$url" "$dir/crowd"
