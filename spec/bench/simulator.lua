-- Fills a server with endpoints that are deploying, and writes the signed DescribeEndpoint requests
-- that wrk sends (spec/bench/simulator_wrk.lua):
--
--   lua spec/bench/simulator.lua URL COUNT FILE

local core = require "sagemaker.core"
local sagemaker = require "sagemaker"

local url, count, path = arg[1], tonumber(arg[2]), arg[3]
local keys = { access_key_id = "test", secret_access_key = "test" }
local client = assert(sagemaker.new {
  endpoint_url = url, region = "us-east-1", credentials = keys,
})

assert(client:create_model { ModelName = "model", ExecutionRoleArn =
  "arn:aws:iam::123456789012:role/sagemaker", PrimaryContainer = { Image = "x" } })
for _, name in ipairs { "v1", "v2" } do
  assert(client:create_endpoint_config { EndpointConfigName = name, ProductionVariants = { {
    VariantName = "v", ModelName = "model", InstanceType = "ml.m5.large",
    InitialInstanceCount = 4 } } })
end
local function name_of(i) return ("endpoint-%04d"):format(i) end
for i = 1, count do
  assert(client:create_endpoint { EndpointName = name_of(i), EndpointConfigName = "v1" })
end

-- The simulator's endpoints are brought into service and deployed; moto's are in service and know
-- no deployment.
local moved = os.execute(("curl -sSf -o /dev/null -X POST -d '{\"seconds\":300}' "
  .. "%s/_simulator/advance 2>/dev/null"):format(url))
if moved == true or moved == 0 then
  for i = 1, count do
    assert(client:update_endpoint { EndpointName = name_of(i), EndpointConfigName = "v2",
      DeploymentConfig = sagemaker.deployment.canary { size = "25%", bake = 3600 } })
  end
  os.execute(("curl -sS -o /dev/null -X POST -d '{\"seconds\":400}' %s/_simulator/advance")
    :format(url))
end

local host = url:match("^http://(.+)$")
local signer = core.signer { access_key_id = "test", secret_access_key = "test",
  region = "us-east-1", service = "sagemaker" }
local out = assert(io.open(path, "wb"))
out:write "return {\n"
for i = 1, count do
  local request = assert(core.encode(core.service "sagemaker", "DescribeEndpoint",
    { EndpointName = name_of(i) }, false))
  request.headers.Host = host
  signer:sign(request, core.now())
  local lines = { "POST / HTTP/1.1" }
  request.headers["Content-Length"] = #request.body
  for name, value in pairs(request.headers) do lines[#lines + 1] = name .. ": " .. value end
  out:write(("%q,\n"):format(table.concat(lines, "\r\n") .. "\r\n\r\n" .. request.body))
end
out:write "}\n"
out:close()
