--- The operations that are played, by their AWS names.
--
-- A handler takes the account, the decoded, validated input and {sim, request, operation}; it
-- answers the output table (an empty one where AWS answers nothing) or `nil, refusal`. It performs
-- no I/O and reads no clock but the account's.

local M = {}

local GROUPS = { "endpoint", "endpoint_config", "inference_component", "model", "tags" }

---@alias sagemaker.simulator.handler
---| fun(account: sagemaker.simulator.account, input: table, case: table): table|nil, table|nil

---@type table<string, sagemaker.simulator.handler>
M.handlers = {}

for _, group in ipairs(GROUPS) do
  for name, handler in pairs(require("sagemaker.simulator.operations." .. group)) do
    M.handlers[name] = handler
  end
end

return M
