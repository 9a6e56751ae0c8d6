--- What the benchmarks of calls share: a server that answers DescribeEndpoint with 4 KB, a request
-- that was signed beforehand, and yardsticks in C.

local server = require "support.server"

local M = {}

-- A DescribeEndpoint answer of 4 KB.
local function answer()
  local variants = {}
  for i = 1, 16 do
    variants[i] = ('{"VariantName":"variant-%d","CurrentWeight":1.0,"DesiredWeight":1.0,' ..
      '"CurrentInstanceCount":3,"DesiredInstanceCount":3,"DeployedImages":[{"SpecifiedImage":' ..
      '"763104351884.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1.7-%d","ResolutionTime":' ..
      '1768478400.123}]}'):format(i, i)
  end
  return '{"EndpointName":"churn","EndpointArn":"arn:aws:sagemaker:eu-west-1:123456789012:' ..
    'endpoint/churn","EndpointConfigName":"churn-v2","EndpointStatus":"Updating",' ..
    '"CreationTime":1768478400.123,"LastModifiedTime":1768478400.456,"ProductionVariants":[' ..
    table.concat(variants, ",") .. "]}"
end

--- The body that the server answers, and its head.
M.ANSWER = answer()
M.ANSWER_HEADERS = {
  ["Connection"] = "keep-alive",
  ["Content-Length"] = tostring(#M.ANSWER),
  ["Content-Type"] = "application/x-amz-json-1.1",
  ["Date"] = "Thu, 15 Jan 2026 12:00:00 GMT",
  ["Server"] = "nginx",
  ["Strict-Transport-Security"] = "max-age=47304000; includeSubDomains",
  ["X-Content-Type-Options"] = "nosniff",
  ["x-amzn-RequestId"] = "5f1ca1b4-3b1c-4a62-9d6e-0123456789ab",
}

local LOCATIONS = [[
location / {
  default_type application/x-amz-json-1.1;
  add_header x-amzn-RequestId 5f1ca1b4-3b1c-4a62-9d6e-0123456789ab;
  add_header Strict-Transport-Security "max-age=47304000; includeSubDomains";
  add_header X-Content-Type-Options nosniff;
  content_by_lua_block {
    if DELAY > 0 then ngx.sleep(DELAY) end
    ngx.header["Content-Length"] = #ANSWER
    ngx.print(ANSWER)
  }
}
]]

--- The settings of a client that calls the server.
---@param url string
---@param in_flight? integer calls at once
function M.settings(url, in_flight)
  return { region = "eu-west-1", endpoint_url = url, max_connections_per_host = in_flight,
    credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = ("x"):rep(40) } }
end

--- The headers and the body of the request, signed beforehand.
M.HEADERS = {
  ["Authorization"] = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260115/eu-west-1/sagemaker/" ..
    "aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=" ..
    ("0123456789abcdef"):rep(4),
  ["Content-Type"] = "application/x-amz-json-1.1",
  ["User-Agent"] = "sagemaker-lua/0.1.0 md/Lua#5.4 os/linux",
  ["X-Amz-Date"] = "20260115T120000Z",
  ["X-Amz-Target"] = "SageMaker.DescribeEndpoint",
  ["amz-sdk-invocation-id"] = "5f1ca1b4-3b1c-4a62-9d6e-0123456789ab",
  ["amz-sdk-request"] = "attempt=1; max=3",
}
M.BODY = '{"EndpointName":"churn"}'

--- Starts the server.
---@param delay? number seconds until it answers
---@return {url: fun(self, path: string): string, stop: fun(self)}
---@return string dir a folder for what is built; give it to `clean`
function M.server(delay)
  local dir = server.folder()
  local f = assert(io.open(dir .. "/answer.lua", "w"))
  f:write("DELAY = ", tostring(delay or 0), "\nANSWER = [=[", M.ANSWER, "]=]\n")
  f:close()
  local nginx = server.nginx{
    locations = LOCATIONS,
    connections = 4096,
    http = ("init_by_lua_file %s/answer.lua;"):format(dir),
  }
  return nginx, dir
end

function M.clean(dir)
  server.shell("rm -rf " .. dir)
end

--- Builds a yardstick.
---@param dir string
---@param name string of a C file beside this one
---@param libraries? string
function M.build(dir, name, libraries)
  local output, ok = server.shell(("cc -O2 -D_GNU_SOURCE -o %s/%s spec/bench/%s.c %s"):format(dir,
    name, name, libraries or "-lcurl"))
  assert(ok, output)
end

local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- The command line of a yardstick with some words and the lines of the signed request.
---@param dir string
---@param name string
---@param words string[]
---@return string
function M.command(dir, name, words)
  local line = { dir .. "/" .. name }
  for _, word in ipairs(words) do line[#line + 1] = quote(word) end
  line[#line + 1] = quote(M.BODY)
  for header, value in pairs(M.HEADERS) do line[#line + 1] = quote(header .. ": " .. value) end
  line[#line + 1] = quote "Accept:"
  return table.concat(line, " ")
end

--- Runs a yardstick; what it prints.
---@param dir string
---@param name string
---@param words string[]
---@return string
function M.run(dir, name, words)
  return (server.shell(M.command(dir, name, words)))
end

function M.median(list)
  table.sort(list)
  return list[math.floor(#list / 2) + 1]
end

--- Whether servers can run here; says why not.
function M.available()
  local ok, reason = server.available()
  if not ok then print("not measured: " .. reason) end
  return ok
end

return M
