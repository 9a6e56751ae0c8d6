--- `--dry-run`: the request that would be sent, signed, without its secrets.

local failure = require "sagemaker.cli.failure"
local document = require "sagemaker.cli.document"

local M = {}

local HIDDEN = "<redacted>"

-- What only the sender and the service may see.
local function redact(name, text)
  local lower = name:lower()
  if lower == "x-amz-security-token" then return HIDDEN end
  if lower == "authorization" then return (text:gsub("(Signature=)%x+", "%1" .. HIDDEN)) end
  return text
end

-- The body: as JSON where it is that, as text where it is text, else in base64.
local function body_of(body)
  local core = require "sagemaker.core"
  if body == "" then return nil end
  local decoded, message = require("sagemaker.cli.json").decode(body)
  if not message then return decoded end
  if core.text.utf8_valid(body) then return body end
  return document.object { ["$base64"] = core.text.base64(body) }
end

--- Prints the request of a call.
---@param ctx sagemaker.cli.Context
---@param client sagemaker.Client
---@param params table
function M.print(ctx, client, params)
  local request, _, err = client:request(ctx.operation.name, params)
  if not request then failure.raise(err) end
  local headers = document.object {}
  for name, text in pairs(request.headers) do headers[name] = redact(name, text) end
  ctx:print(document.object({ method = request.method, url = request.url, headers = headers,
    body = body_of(request.body) }, { "method", "url", "headers", "body" }), ctx.operation.name)
end

return M
