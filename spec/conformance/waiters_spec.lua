-- What botocore's waiters decide, poll by poll.
local errors = require "sagemaker.error"
local path = require "sagemaker.path"
local stub = require "sagemaker.transport.stub"
local support = require "support"
local waiter = require "sagemaker.waiter"

local cjson = require "cjson"

local function optional(value)
  if value == cjson.null then return nil end
  return value
end

local function plain(value)
  if type(value) ~= "table" then return value end
  local out = {}
  for key, item in pairs(value) do
    if item ~= cjson.null then out[key] = plain(item) end
  end
  return out
end

-- botocore hands errors to a waiter as {"Error": {"Code": …}}; anything else there is an output.
-- A response without ResponseMetadata has no status.
local function split(response)
  response = plain(response)
  local status = response.ResponseMetadata and response.ResponseMetadata.HTTPStatusCode
  local details = response.Error
  if type(details) == "table" and details.Code then
    return nil, errors.new { kind = "service", code = details.Code, status = status,
      message = details.Message or "" }, status
  end
  return response, nil, status
end

-- What AWS's text calls "Waiter X failed: <reason>".
local function reason_of(text)
  return (text:gsub("^Waiter %w+ failed: ", ""))
end

describe("conformance: waiters", function()
  if not support.conformance() then
    pending("the vectors are not at hand")
    return
  end

  it("golden rows of the model's waiters", function()
    local sagemaker = require "sagemaker"
    local rows = support.rows("golden/waiters.jsonl")
    for _, row in ipairs(rows) do
      local polls = 0
      local transport = stub.new(function()
        polls = polls + 1
        local answer = row.script[polls] or row.script[#row.script]
        return { status = answer.status, headers = answer.headers, body = answer.body }
      end)
      local client = assert(sagemaker.new { region = "us-west-2", transport = transport,
        retry = { max_attempts = 1 }, validation = false, io = { getenv = function() end },
        credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "s" } })
      local config = optional(row.waiter_config) or {}
      local output, _, err = client:wait(row.waiter, row.params,
        { delay = config.Delay, max_attempts = config.MaxAttempts })
      assert.equal(row.polls, polls, row.id)
      assert.equal(row.sleeps, #transport.sleeps, row.id)
      for _, seconds in ipairs(transport.sleeps) do
        assert.equal(row.sleep_each[1], seconds, row.id)
      end
      assert.equal(row.outcome.ok, output ~= nil, row.id)
      if err then
        -- Where the service sent no message, ours says so and botocore's is empty.
        local reason = row.outcome.reason
        if reason:find(": $") then
          assert.equal(reason, err.reason:sub(1, #reason), row.id)
        else
          assert.equal(reason, err.reason, row.id)
        end
      end
    end
    support.tally("golden/waiters", #rows, {})
  end)

  it("acceptors recorded from botocore's unit tests", function()
    local rows, skipped, ran = support.rows("botocore-unit/waiter_acceptors.jsonl"), {}, 0
    for _, row in ipairs(rows) do
      local acceptor = plain(row.acceptor)
      local find, why = true, nil
      if acceptor.argument then find, why = path.compile(acceptor.argument) end
      if not find then
        skipped[#skipped + 1] = { id = row.id, reason = why }
      else
        ran = ran + 1
        local output, err, status = split(row.response)
        assert.equal(row.matched, waiter.matches(acceptor, output, err, status), row.id)
      end
    end
    support.tally("botocore-unit/waiter_acceptors", ran, skipped)
  end)

  it("waiters recorded from botocore's unit tests", function()
    local rows, skipped, ran = support.rows("botocore-unit/waiters.jsonl"), {}, 0
    for _, row in ipairs(rows) do
      local config = { name = row.name, operation = row.config.operation,
        delay = row.config.delay, max_attempts = row.config.maxAttempts,
        acceptors = plain(row.config.acceptors) }
      local polls, transport = 0, stub.new {}
      local function call(_, params)
        polls = polls + 1
        local step = assert(row.calls[polls], row.id .. ": one call too many")
        assert.same(plain(step.params), params)
        local output, err, status = split(step.response)
        return output, err and tostring(err), err, status or -1
      end
      ran = ran + 1
      local output, _, err = waiter.run(config, call, transport, plain(row.params))
      assert.equal(#row.calls, polls, row.id)
      assert.equal(row.outcome == "success", output ~= nil, row.id)
      if row.message and err then assert.equal(reason_of(row.message), err.reason, row.id) end
    end
    support.tally("botocore-unit/waiters", ran, skipped)
  end)
end)
