-- Which host would be called, and with whose keys? Nothing is sent to SageMaker.
--
--   lua5.4 examples/configuration/whoami.lua [profile]

local sagemaker = require "sagemaker"

local client, message = sagemaker.new { profile = arg[1] }
if not client then
  io.stderr:write(message, "\n")
  os.exit(1)
end

local request
request, message = client:request("ListEndpoints", {})
if not request then
  io.stderr:write((message:gsub("; ", "\n  ")), "\n")
  os.exit(1)
end

print("host    " .. request.host)
print("key id  " .. request.headers.Authorization:match("Credential=([^/]*)"))
print("region  " .. request.headers.Authorization:match("Credential=[^/]*/%d+/([^/]*)"))
