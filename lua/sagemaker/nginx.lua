--- What nginx and OpenResty need besides the client, which works there by itself
--- (`sagemaker.new` in any phase, its calls where nginx can wait).
---
---     local nginx = require "sagemaker.nginx"
---     nginx.sign{ client = runtime, endpoint = "churn" }   -- access phase, then proxy_pass
---     nginx.shared{ dict = "sagemaker" }                   -- an option of clients
---     nginx.metrics{ dict = "metrics" }                    -- their hooks, and Prometheus' text
--
-- Each part is loaded when it is first used: examples/nginx has complete configurations.

local M = {}

--- Signs the request that nginx is working on, for proxy_pass. See sagemaker.nginx.sign.
---@param opts sagemaker.nginx.SignOptions
---@return boolean|nil ok true; where it fails the request is answered with an error and ends here
function M.sign(opts)
  return require("sagemaker.nginx.sign").sign(opts)
end

--- State that the clients of all workers share. See sagemaker.nginx.shared.
---@param opts? sagemaker.nginx.SharedOptions
---@return sagemaker.nginx.Shared for the option `shared` of a client
function M.shared(opts)
  return require("sagemaker.nginx.shared").new(opts)
end

--- Counts calls for Prometheus. See sagemaker.nginx.metrics.
---@param opts? sagemaker.nginx.MetricsOptions
---@return sagemaker.nginx.Metrics
function M.metrics(opts)
  return require("sagemaker.nginx.metrics").new(opts)
end

return M
