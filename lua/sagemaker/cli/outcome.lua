--- How a deployment ended: the exit status of the command, and the words for it.

local lazy = require "sagemaker.lazy"
local plans = lazy "sagemaker.deployment.plan"
local text = lazy "sagemaker.cli.view.text"

local M = {}

--- Exit statuses of `deploy` and `watch`. Those of the other commands (130 for Ctrl-C, 252 for
-- wrong usage, 253 for configuration and credentials, 254 for an error of the service, 255 for the
-- rest) mean the same here.
M.STATUS = { deployed = 0, in_service = 0, rolled_back = 10, rollback_failed = 11, failed = 12,
  timed_out = 13, deleted = 14 }

--- The outcomes in the order of their exit statuses, each with what it means.
M.MEANINGS = {
  { "deployed", "the configuration that was asked for is in service" },
  { "rolled_back", "the old configuration is in service again" },
  { "rollback_failed", "a mix of both configurations is in service (UpdateRollbackFailed)" },
  { "failed", "the endpoint is Failed, or another deployment took its place" },
  { "timed_out", "nothing of this within the time that was given" },
  { "deleted", "the endpoint was deleted meanwhile" },
}

--- The exit status of an outcome. Being in service counts as success only for one who named no
-- configuration.
---@param outcome string
---@param is_named? boolean a configuration was asked for by name
---@return integer
function M.status(outcome, is_named)
  if outcome == "in_service" and is_named then return M.STATUS.timed_out end
  return M.STATUS[outcome] or 255
end

local SENTENCES = {
  deployed = "deployed: %s runs %s",
  in_service = "%s is in service",
  rolled_back = "rolled back: %s runs the old configuration, not %s",
  rollback_failed = "the roll-back failed: %s serves a mix of the old configuration and %s",
  failed = "failed: %s does not run %s",
  timed_out = "timed out: %s does not run %s yet",
  deleted = "deleted: %s is gone",
}

-- What can be done about it.
local ADVICE = {
  rollback_failed = "The next deployment that succeeds repairs it.",
  failed = "A Failed endpoint can only be deleted; --replace-failed deletes and creates it anew.",
  timed_out = "The deployment may still go on: `sagemaker watch %s` follows it.",
}

--- One sentence on how it ended, and what to do.
---@param result sagemaker.watch.Event the last one
---@param name string EndpointName
---@param wish? string EndpointConfigName that was asked for
---@return string[] lines the first is the sentence
function M.lines(result, name, wish)
  local outcome = result.outcome
  if result.changed == false then
    return { ("nothing to change: %s runs %s already"):format(name, wish) }
  end
  local line = SENTENCES[outcome]:format(name, wish or "what was asked for")
  local elapsed = result.elapsed
  if elapsed and elapsed > 0 then line = ("%s, after %s"):format(line, plans.clock(elapsed)) end
  if result.failure_reason then line = line .. ": " .. text.clean(result.failure_reason) end
  local lines = { line }
  local is_failed = outcome ~= "failed" or result.status == "Failed"
  if ADVICE[outcome] and is_failed then lines[2] = ADVICE[outcome]:format(name) end
  return lines
end

return M
