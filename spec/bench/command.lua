--- The command beside its yardsticks, cold: each run is a process of its own. In turns, medians.
--
--   lua5.4 spec/bench/command.lua COMMAND TIMER LIMIT [ROUNDS]
--
-- See command.sh, which builds all three.

package.path = "lua/?.lua;lua/?/init.lua;spec/?.lua;spec/?/init.lua;" .. package.path

local server = require "support.server"

local command, timer, limit = arg[1], arg[2], arg[3]
local rounds = tonumber(arg[4]) or 31

local LOCATIONS = [[
location / {
  default_type application/x-amz-json-1.1;
  return 200 '{"EndpointArn":"arn:aws:sagemaker:eu-west-1:123456789012:endpoint/churn"}';
}
]]

local CREATE = "create-endpoint --endpoint-name churn --endpoint-config-name churn-v2 "
local SKELETON = "create-endpoint --generate-cli-skeleton"

local ENVIRONMENT = "env -u LUA_PATH -u LUA_CPATH AWS_ACCESS_KEY_ID=AKIDEXAMPLE "
  .. "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1 "
  .. "AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null "
  .. "AWS_SHARED_CREDENTIALS_FILE=/dev/null "

local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- Runs rows of {name, command}; answers {name = {wall, cpu, rss}}.
local function measure(rows, times)
  local words = { timer, tostring(times) }
  for _, row in ipairs(rows) do
    words[#words + 1], words[#words + 2] = row[1], quote(row[2])
  end
  local output, ok = server.shell(ENVIRONMENT .. table.concat(words, " "))
  if not ok then error(output, 0) end
  local results = {}
  for name, wall, cpu, rss in output:gmatch("(%S+) ([%d.]+) ([%d.]+) (%d+)\n") do
    results[name] = { wall = tonumber(wall), cpu = tonumber(cpu), rss = tonumber(rss) / 1024 }
  end
  return results
end

local function has(program)
  local _, ok = server.shell("command -v " .. program)
  return ok
end

local function report(title, rows)
  print("\n" .. title)
  local results = measure(rows, rounds)
  local ours = results.sagemaker
  for _, row in ipairs(rows) do
    local found = results[row[1]]
    print(("  %-14s %8.2f ms  %8.2f ms CPU  %6.1f MB   %7.2f x the command"):format(row[1],
      found.wall, found.cpu, found.rss, found.wall / ours.wall))
  end
end

-- The AWS CLI that is first on the path, when there is one.
local function with_aws(rows, words)
  if has "aws" then rows[#rows + 1] = { "aws", "aws sagemaker " .. words } end
  return rows
end

local certificates = server.certificates()
local nginx = server.nginx { locations = LOCATIONS, tls = { "good" },
  certificates = certificates.dir }
local done, message = pcall(function()
  local http, https = nginx:url "/", (nginx:url("/", "good"):gsub("127.0.0.1", "localhost"))
  local hashed, bundle = certificates.dir .. "/hashed", certificates.dir .. "/ca.pem"
  report("create-endpoint over http (goal: aws 50 x, limit at least 0.67 x)", with_aws({
    { "sagemaker", command .. " " .. CREATE .. "--endpoint-url " .. http },
    { "limit", limit .. " " .. http },
  }, CREATE .. "--endpoint-url " .. http))
  report("create-endpoint over https (goal: aws 40 x)", with_aws({
    { "sagemaker", command .. " " .. CREATE .. "--ca-bundle " .. bundle .. " --endpoint-url "
      .. https },
    { "limit", limit .. " " .. https .. " " .. hashed },
  }, CREATE .. "--ca-bundle " .. bundle .. " --endpoint-url " .. https))
  report("skeleton, without a call (goal: aws 150 x)", with_aws({
    { "sagemaker", command .. " " .. SKELETON },
    { "lua", "lua5.4 -e x=1" },
  }, SKELETON))
end)
nginx:stop()
certificates.remove()
if not done then error(message, 0) end
