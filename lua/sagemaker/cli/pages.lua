--- The pages of a list as the forms of output want them: `for part, err in each(pages)` gives
-- documents, and once false and an error where a page cannot be had.

local document = require "sagemaker.cli.document"
local path = require "sagemaker.path"

local M = {}

-- The paginator cuts lists and makes them anew; they are lists still, also when they are empty.
local function mark(part, pages)
  for _, get in ipairs(pages.paths.result) do
    local items = get(part)
    if type(items) == "table" and getmetatable(items) == nil then document.list(items) end
  end
  return part
end

-- A document of results: their keys first, then what does not repeat, and the token last.
local function object(pages, fields)
  local order = {}
  for _, name in ipairs(pages.config.result) do order[#order + 1] = name end
  for _, name in ipairs(pages.config.non_aggregate or {}) do order[#order + 1] = name end
  order[#order + 1] = "NextToken"
  return document.object(mark(fields, pages), order)
end

--- The pages of a list, each prepared for printing as it comes.
---@param client sagemaker.Client
---@param paginator sagemaker.PaginatorConfig
---@param name string of the operation
---@param params table
---@param opts sagemaker.PageOptions
---@param present fun(output: table): table
---@return sagemaker.Pages
function M.of(client, paginator, name, params, opts, present)
  return require("sagemaker.paginator").pages(paginator, name, function(operation, input, more)
    local output, message, err = client:call(operation, input, more)
    if not output then return nil, message, err end
    return present(output)
  end, params, opts)
end

--- The whole pages, as the service sends them.
---@param pages sagemaker.Pages
---@return fun(): table|false|nil, sagemaker.Error|nil
function M.whole(pages)
  return function()
    local page, _, err = pages:next()
    if err then return false, err end
    return page and mark(page, pages)
  end
end

-- The items of a page; of the first one also what does not repeat.
local function part_of(pages, page, is_first)
  local part = {}
  for i, get in ipairs(pages.paths.result) do
    local found = get(page)
    if found ~= nil then path.assign(part, pages.config.result[i], found) end
  end
  if is_first then
    for key, item in pairs(pages.non_aggregate) do
      if part[key] == nil then part[key] = item end
    end
  end
  return object(pages, part)
end

--- Part for part with the items only, and the token where the list was ended early.
---@param pages sagemaker.Pages
---@return fun(): table|false|nil, sagemaker.Error|nil
function M.parts(pages)
  local is_first, is_last = true, false
  return function()
    if is_last then return nil end
    local page, _, err = pages:next()
    if err then return false, err end
    if page then
      local part = part_of(pages, page, is_first)
      is_first = false
      return part
    end
    is_last = true
    local token = pages.resume_token
    return token and document.object { NextToken = document.object { NextToken = token } }
  end
end

--- All pages in one.
---@param pages sagemaker.Pages
---@return fun(): table|false|nil, sagemaker.Error|nil
function M.joined(pages)
  local is_done = false
  return function()
    if is_done then return nil end
    is_done = true
    local output, _, err = pages:collect()
    if not output then return false, err end
    return object(pages, output)
  end
end

return M
