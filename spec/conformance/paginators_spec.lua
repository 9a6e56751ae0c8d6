-- What botocore's paginators ask for and answer, page by page.
local paginator = require "sagemaker.paginator"
local path = require "sagemaker.path"
local support = require "support"

local cjson = require "cjson"

local b64 = require("sagemaker.core").text.unbase64

-- A value of a row as this client has it: null is absent, {"$bytes": base64} is a string.
local function plain(value)
  if type(value) ~= "table" then return value end
  if value["$bytes"] then return b64(value["$bytes"]) end
  local out = {}
  for key, item in pairs(value) do
    if item ~= cjson.null then out[key] = plain(item) end
  end
  return out
end

local function optional(value)
  if value == cjson.null then return nil end
  return value
end

local function is_understood(config)
  for _, list in ipairs { config.output, config.result, config.non_aggregate or {},
    { config.more } } do
    for _, text in ipairs(list) do
      local find, message = path.compile(text)
      if not find then return false, message end
    end
  end
  return true
end

-- Plays `answers` and notes the parameters of each request.
local function player(answers)
  local asked = {}
  return function(_, params)
    asked[#asked + 1] = params
    return assert(answers[#asked], "more requests than answers")
  end, asked
end

local function expect_error(text, err)
  if text:find("same next token", 1, true) then
    assert.equal("RepeatedToken", err.code)
  elseif text:find("^Bad starting token") then
    assert.equal("BadStartingToken", err.code)
  else
    error("no rule for the expected error: " .. text)
  end
end

describe("conformance: paginators", function()
  if not support.conformance() then
    pending("the vectors are not at hand")
    return
  end

  it("golden rows of the model's operations", function()
    local rows, configs = support.rows("golden/paginators.jsonl"),
      require "sagemaker.model.paginators"
    for _, row in ipairs(rows) do
      local config = optional(row.pagination_config) or {}
      local answers = {}
      for i, page in ipairs(row.pages) do answers[i] = plain(page) end
      local call, asked = player(answers)
      local pages = paginator.pages(configs[row.operation], row.operation, call, row.params,
        { max_items = config.MaxItems, page_size = config.PageSize,
          starting_token = config.StartingToken })
      local result, _, err = pages:collect()
      assert.same(plain(row.requests), asked, row.id)
      if row.error then
        expect_error(row.error.text, err)
      else
        assert.same(plain(row.full_result), result, row.id)
        assert.equal(optional(row.resume_token), pages.resume_token, row.id)
      end
    end
    support.tally("golden/paginators", #rows, {})
  end)

  it("rows recorded from botocore's unit tests", function()
    local rows, skipped, ran = support.rows("botocore-unit/paginate.jsonl"), {}, 0
    for _, row in ipairs(rows) do
      local raw = row.config
      local config = { input = raw.input_token, output = raw.output_token,
        result = raw.result_keys, limit = optional(raw.limit_key),
        more = optional(raw.more_results), non_aggregate = raw.non_aggregate_keys }
      local understood, why = is_understood(config)
      if not understood then
        skipped[#skipped + 1] = { id = row.id, reason = why }
      else
        ran = ran + 1
        local answers, requests = {}, {}
        for i, request in ipairs(row.requests) do
          answers[i], requests[i] = plain(request.response), plain(request.params)
        end
        local call, asked = player(answers)
        local pages = paginator.pages(config, "Op", call, plain(row.op_kwargs),
          { max_items = optional(row.max_items), page_size = optional(row.page_size),
            starting_token = optional(row.starting_token) })
        local seen = {}
        local page, _, failure = pages:next()
        while page do
          seen[#seen + 1] = page
          page, _, failure = pages:next()
        end
        assert.same(requests, asked, row.id)
        if row.error then
          expect_error(row.error.message, failure)
        else
          assert.is_nil(failure)
          assert.same(plain(row.pages), seen, row.id)
          assert.equal(optional(row.resume_token), pages.resume_token, row.id)
        end
      end
    end
    support.tally("botocore-unit/paginate", ran, skipped)
  end)
end)
