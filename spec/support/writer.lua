-- Creates endpoint configurations one after the other until the server is gone, and says which were
-- acknowledged: lua spec/support/writer.lua URL PREFIX LOG

local sagemaker = require "sagemaker"

local url, prefix, path = arg[1], arg[2], arg[3]
local log = assert(io.open(path, "ab"))
log:setvbuf "line"
local client = assert(sagemaker.new {
  endpoint_url = url, region = "us-east-1", retry = { max_attempts = 1 },
  credentials = { access_key_id = "test", secret_access_key = "test" },
  timeouts = { connect = 2, read = 2 },
})
for i = 1, 100000 do
  local name = ("%s-%d"):format(prefix, i)
  local output = client:create_endpoint_config { EndpointConfigName = name, ProductionVariants = {
    { VariantName = "v", ModelName = "model", InstanceType = "ml.m5.large",
      InitialInstanceCount = 1 } } }
  if not output then break end
  log:write(name, "\n")
end
