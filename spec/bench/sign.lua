--- What it costs to sign a request with a body of 680 bytes, beside the least that it can cost.
--
--   lua5.4 spec/bench/sign.lua [rounds]
--
-- The yardstick is the C program spec/bench/sign_limit.c, started from here and in alternation with
-- the rounds in Lua: built by run.sh as build/bench/sign_limit, else by this file. With
-- SAGEMAKER_BUILD (a build directory that holds libsm.a and libsm_crypto.a) it also measures
-- sm_sigv4 from C.
--
-- All requests are signed for the same second, as those of a busy client are, and have bodies of
-- their own: the signer then keeps the hash states behind the first blocks that they share, which
-- the yardstick does not.
--
-- Goals (ratios to the limit): from C at most 1.35 (stretch 1.25), from Lua at most 1.5.

local core = require "sagemaker.core"

local rounds = tonumber(arg and arg[1]) or 7
local PER_ROUND = 20000

local LIMIT = "build/bench/sign_limit"
local CORE = "build/bench/sign_core"
local SOURCE = "spec/bench/sign_limit.c"

local function run(command)
  local ok = os.execute(command)
  return ok == true or ok == 0
end

--- The program to start: with the core in it where that can be built.
local function program()
  local build = os.getenv("SAGEMAKER_BUILD")
  run("mkdir -p build/bench")
  if build and run(("cc -O2 -w -DSIGN_CORE -Icsrc -o %s %s %s/libsm_crypto.a %s/libsm.a -lcrypto")
      :format(CORE, SOURCE, build, build)) then
    return CORE
  end
  local f = io.open(LIMIT, "rb")
  if f then
    f:close()
  else
    assert(run(("cc -O2 -w -o %s %s -lcrypto"):format(LIMIT, SOURCE)), "no C compiler?")
  end
  return LIMIT
end

--- One start of the program: the least of a few rounds by name.
local function in_c(command)
  local process, times = assert(io.popen(command .. " 5")), {}
  for line in process:lines() do
    local name, ns = line:match("^(%a+) ([%d.]+)$")
    times[name] = tonumber(ns)
  end
  process:close()
  return times
end

local function new_headers()
  return {
    ["Content-Type"] = "application/x-amz-json-1.1",
    ["Host"] = "api.sagemaker.us-west-2.amazonaws.com",
    ["X-Amz-Target"] = "SageMaker.CreateEndpoint",
  }
end

local signer = core.signer {
  access_key_id = "AKIDEXAMPLE", secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  region = "us-west-2", service = "sagemaker",
}
local request = { method = "POST", path = "/", query = "", headers = new_headers() }

local BODIES = {}
for i = 1, 100 do BODIES[i] = ("%03d"):format(i) .. ("x"):rep(677) end

--- Requests that were not signed yet, whose headers have room for what is added, as the encoder
-- makes them.
local function first()
  local headers = request.headers
  for i = 1, PER_ROUND do
    request.body = BODIES[i % #BODIES + 1]
    headers["X-Amz-Date"], headers.Authorization = nil, nil
    signer:sign(request, 1768480496)
  end
end

--- The same request again and again, as retries do.
local function again()
  for i = 1, PER_ROUND do
    request.body = BODIES[i % #BODIES + 1]
    signer:sign(request, 1768480496)
  end
end

--- A new table of headers for each request, which has to grow.
local function anew()
  for i = 1, PER_ROUND do
    request.body = BODIES[i % #BODIES + 1]
    request.headers = new_headers()
    signer:sign(request, 1768480496)
  end
end

local function time(f)
  local start = os.clock()
  f()
  return (os.clock() - start) * 1e9 / PER_ROUND
end

local least = {}
local function note(name, ns)
  if ns and (not least[name] or ns < least[name]) then least[name] = ns end
end

local command = program()
for _ = 1, rounds do
  for name, ns in pairs(in_c(command)) do note(name, ns) end
  note("first", time(first))
  note("again", time(again))
  note("anew", time(anew))
end

local function row(text, ns, goal)
  if not ns then return end
  print(("%-44s %7.0f ns   %5.2f x%s"):format(text, ns, ns / least.limit, goal or ""))
end

row("limit: C, low-level SHA-256", least.limit)
row("sm_sigv4 from C", least.core, "   (goal 1.35, stretch 1.25)")
row("signer:sign", least.first, "   (goal 1.5)")
row("  once more, as a retry does", least.again)
row("  with a new table of headers, that grows", least.anew)
