--- Lists that come in pages: iterators over pages and over the items in them.
---
--- for row in client:each("ListEndpoints", { StatusEquals = "InService" }) do … end
--
-- Paging stops after `max_items` and keeps a token to go on from (`resume_token`, in the form that
-- AWS's own clients use: base64 of JSON). The same token twice from the service is an error.

local errors = require "sagemaker.error"
local path = require "sagemaker.path"

local M = {}

---@class sagemaker.PaginatorConfig a row of sagemaker.model.paginators
---@field input string[] members of the input that take the token
---@field output string[] paths to the next token in the output
---@field result string[] paths to the items; the first one counts for max_items
---@field limit? string member of the input that sets the size of a page
---@field more? string path to a value that says whether more follows
---@field non_aggregate? string[]

---@class sagemaker.PageOptions
---@field max_items? integer stop after so many items in all
---@field page_size? integer items to ask for in one call
---@field starting_token? string a resume_token, or a plain token of the service

local TRUNCATE, ENCODED = "boto_truncate_amount", "boto_encoded_keys"

-- Tokens: {input member = value, …, boto_truncate_amount = n}.

local function json_string(text)
  local escapes = { ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
    ['"'] = '\\"', ["\\"] = "\\\\" }
  local ascii = text:gsub('[%z\1-\31"\\]', function(c)
    return escapes[c] or ("\\u%04x"):format(c:byte())
  end)
  ascii = ascii:gsub("[\194-\244][\128-\191]+", function(sequence)
    local lead = sequence:byte(1)
    local code = lead % (lead >= 240 and 8 or lead >= 224 and 16 or 32)
    for i = 2, #sequence do code = code * 64 + sequence:byte(i) % 64 end
    if code < 0x10000 then return ("\\u%04x"):format(code) end
    code = code - 0x10000
    return ("\\u%04x\\u%04x"):format(0xD800 + math.floor(code / 1024), 0xDC00 + code % 1024)
  end)
  return '"' .. ascii .. '"'
end

-- Strings that are not UTF-8 go out in base64, and the path to them is noted in `encoded`.
local function json_of(value, at, encoded)
  local kind = type(value)
  if kind == "string" then
    local text = require("sagemaker.core").text
    if text.utf8_valid(value) then return json_string(value) end
    encoded[#encoded + 1] = at
    return json_string(text.base64(value))
  elseif kind == "number" then
    return value % 1 == 0 and ("%d"):format(value) or ("%.17g"):format(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif kind ~= "table" then
    return "null"
  end
  local parts = {}
  local function below(key)
    local deeper = {}
    for i, step in ipairs(at) do deeper[i] = step end
    deeper[#deeper + 1] = key
    return deeper
  end
  if #value > 0 then
    for i, item in ipairs(value) do parts[i] = json_of(item, below(i - 1), encoded) end
    return "[" .. table.concat(parts, ", ") .. "]"
  end
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys)
  for i, key in ipairs(keys) do
    parts[i] = json_string(key) .. ": " .. json_of(value[key], below(key), encoded)
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

-- base64 of what Python's json.dumps writes for the token.
local function encode_token(config, token, truncate)
  local parts, encoded = {}, {}
  for i, name in ipairs(config.input) do
    parts[i] = json_string(name) .. ": " .. json_of(token[name], { name }, encoded)
  end
  if truncate then parts[#parts + 1] = ('"%s": %d'):format(TRUNCATE, truncate) end
  if #encoded > 0 then
    parts[#parts + 1] = ('"%s": %s'):format(ENCODED, json_of(encoded, {}, {}))
  end
  return require("sagemaker.core").text.base64("{" .. table.concat(parts, ", ") .. "}")
end

local function restore_bytes(token, encoded)
  local text = require("sagemaker.core").text
  for _, keys in ipairs(encoded) do
    local at = token
    for i = 1, #keys - 1 do
      at = type(at) == "table" and at[type(keys[i]) == "number" and keys[i] + 1 or keys[i]]
    end
    local last = keys[#keys]
    if type(last) == "number" then last = last + 1 end
    if type(at) == "table" and type(at[last]) == "string" then
      at[last] = text.unbase64(at[last]) or at[last]
    end
  end
end

-- The older form: tokens and an index, joined by "___".
local function decode_old_token(config, text)
  local parts, at = {}, 1
  while true do
    local first, last = text:find("___", at, true)
    parts[#parts + 1] = text:sub(at, (first or 0) - 1)
    if not first then break end
    at = last + 1
  end
  local index
  if #parts == #config.input + 1 then
    index = parts[#parts]:find("^%d+$") and tonumber(parts[#parts])
    if index then parts[#parts] = nil else parts = { text } end
  end
  if #parts > #config.input then return nil end
  local token = {}
  for i, name in ipairs(config.input) do
    if parts[i] ~= "None" then token[name] = parts[i] end
  end
  return token, index or 0
end

-- A starting token to the service's tokens, and how many items of the first page to pass over.
local function decode_token(config, text)
  local json = require("sagemaker.core").text.unbase64(text)
  local cjson = require "cjson"
  local ok, token = pcall(cjson.decode, json or "")
  if not ok or type(token) ~= "table" then return decode_old_token(config, text) end
  restore_bytes(token, type(token[ENCODED]) == "table" and token[ENCODED] or {})
  local index, out = tonumber(token[TRUNCATE]) or 0, {}
  for _, name in ipairs(config.input) do
    if token[name] ~= cjson.null then out[name] = token[name] end
  end
  return out, index
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local prepared = setmetatable({}, { __mode = "k" })

local function compile(text)
  local get, message = path.compile(text)
  if not get then error("paginator: " .. message, 0) end
  return get
end

-- The functions of a config's paths, made once.
local function prepare(config)
  local row = prepared[config]
  if row then return row end
  row = { output = {}, result = {}, non_aggregate = {} }
  for i, text in ipairs(config.output) do row.output[i] = compile(text) end
  for i, text in ipairs(config.result) do row.result[i] = compile(text) end
  for i, text in ipairs(config.non_aggregate or {}) do row.non_aggregate[i] = compile(text) end
  if config.more then row.more = compile(config.more) end
  prepared[config] = row
  return row
end

---@class sagemaker.Pages iterator over pages; call it in a `for`, or use :next()
---@field resume_token string|nil set when max_items ended it before the list did
local Pages = {}
Pages.__index = Pages
Pages.__name = "sagemaker.pages"

local function next_token(self, page)
  local paths, token, found = self.paths, {}, false
  if paths.more then
    local more = paths.more(page)
    if not more or more == "" then return nil end
  end
  for i, name in ipairs(self.config.input) do
    local value = paths.output[i] and paths.output[i](page)
    if value and value ~= "" and value ~= 0 then
      token[name], found = value, true
    end
  end
  return found and token or nil
end

local EMPTY = { string = "", number = 0 }
setmetatable(EMPTY, { __index = function(_, kind) return kind == "table" and {} or nil end })

-- The first page after a starting token: items that were seen before are taken out of it.
local function drop_seen(self, page)
  local skip = self.skip
  for i, get in ipairs(self.paths.result) do
    local items = get(page)
    if i > 1 then
      path.assign(page, self.config.result[i], EMPTY[type(items)])
    elseif type(items) == "table" then
      local rest = {}
      for k = skip + 1, #items do rest[#rest + 1] = items[k] end
      path.assign(page, self.config.result[i], rest)
    end
  end
end

local function truncate(self, page, items, keep)
  local kept = {}
  for i = 1, keep do kept[i] = items[i] end
  path.assign(page, self.config.result[1], kept)
  self.resume_token = encode_token(self.config, self.token or {}, keep + self.skip)
end

local function finish(self)
  self.done = true
end

-- Counts a page's items against max_items and finds out how to go on.
local function take(self, page)
  local items = self.paths.result[1](page)
  local count = type(items) == "table" and #items or 0
  local max_items = self.max_items
  if max_items and self.seen + count > max_items then
    truncate(self, page, items, max_items - self.seen)
    return finish(self)
  end
  self.seen = self.seen + count
  local token = next_token(self, page)
  if not token then return finish(self) end
  if max_items and self.seen == max_items then
    self.resume_token = encode_token(self.config, token)
    return finish(self)
  end
  self.repeated = self.previous ~= nil and same(self.previous, token)
  self.previous, self.token = token, token
end

local function request_params(self)
  local params = {}
  for key, value in pairs(self.params) do params[key] = value end
  if self.page_size then params[self.config.limit] = self.page_size end
  if self.token then
    for _, name in ipairs(self.config.input) do params[name] = self.token[name] end
  end
  return params
end

local function token_text(self)
  local parts = {}
  for _, name in ipairs(self.config.input) do
    parts[#parts + 1] = ("%s = %s"):format(name, tostring(self.token[name]))
  end
  return table.concat(parts, ", ")
end

--- The next page.
---@return table|nil page nil at the end, and on failure
---@return string|nil message on failure
---@return sagemaker.Error|nil err on failure; a page that failed can be asked for again
function Pages:next()
  if self.done then return nil end
  if self.repeated then
    return errors.fail { kind = "protocol", code = "RepeatedToken", operation = self.operation,
      message = "the same next token was received twice: " .. token_text(self), retryable = false }
  end
  if self.bad_token then
    return errors.fail { kind = "validation", code = "BadStartingToken", path = "starting_token",
      message = ("%q is no starting token"):format(self.bad_token), operation = self.operation,
      retryable = false }
  end
  local page, message, err = self.call(self.operation, request_params(self), self.call_opts)
  if not page then return nil, message, err end
  if self.first then
    self.first = false
    if self.resumed then drop_seen(self, page) end
    for i, get in ipairs(self.paths.non_aggregate) do
      local value = get(page)
      if value ~= nil then
        path.assign(self.non_aggregate, self.config.non_aggregate[i], value)
      end
    end
  else
    self.skip = 0
  end
  take(self, page)
  return page
end

--- For generic `for`: the next page or nil; raises the err table on failure.
function Pages:__call()
  local page, _, err = self:next()
  if err then error(err, 0) end
  return page
end

local function merge(result, config, paths, page)
  for i, get in ipairs(paths.result) do
    local value, existing = get(page), get(result)
    if value ~= nil and existing == nil then
      path.assign(result, config.result[i], value)
    elseif type(value) == "table" and type(existing) == "table" then
      for _, item in ipairs(value) do existing[#existing + 1] = item end
    elseif type(value) == "number" and type(existing) == "number" then
      path.assign(result, config.result[i], existing + value)
    elseif type(value) == "string" then
      path.assign(result, config.result[i], existing .. value)
    end
  end
end

local function merge_missing(into, from)
  for key, value in pairs(from) do
    if type(value) == "table" and type(into[key]) == "table" then
      merge_missing(into[key], value)
    else
      into[key] = value
    end
  end
end

--- All pages in one: their items joined, and NextToken where max_items ended the list early.
---@return table|nil result
---@return string|nil message
---@return sagemaker.Error|nil err
function Pages:collect()
  local result = {}
  while true do
    local page, message, err = self:next()
    if err then return nil, message, err end
    if not page then break end
    merge(result, self.config, self.paths, page)
  end
  merge_missing(result, self.non_aggregate)
  if self.resume_token then result.NextToken = self.resume_token end
  return result
end

local function check_options(config, operation, opts)
  local max_items, page_size, token = opts.max_items, opts.page_size, opts.starting_token
  if max_items ~= nil and (type(max_items) ~= "number" or max_items % 1 ~= 0 or max_items < 0) then
    error("option max_items must be a whole number of at least 0", 5)
  end
  if page_size ~= nil and not tonumber(page_size) then
    error("option page_size must be a number", 5)
  end
  if page_size ~= nil and not config.limit then
    error(("option page_size: %s takes no page size"):format(operation), 5)
  end
  if token ~= nil and type(token) ~= "string" then
    error("option starting_token must be a string", 5)
  end
end

--- An iterator over pages.
---@param config sagemaker.PaginatorConfig
---@param operation string
---@param call fun(operation: string, params: table, opts?: table): table?, string?, table?
---@param params table never changed
---@param opts? sagemaker.PageOptions
---@param call_opts? table options of each call
---@return sagemaker.Pages
function M.pages(config, operation, call, params, opts, call_opts)
  opts = opts or {}
  check_options(config, operation, opts)
  local self = setmetatable({
    call = call,
    call_opts = call_opts,
    config = config,
    done = false,
    first = true,
    max_items = opts.max_items,
    non_aggregate = {},
    operation = operation,
    page_size = opts.page_size,
    params = params,
    paths = prepare(config),
    repeated = false,
    seen = 0,
    skip = 0,
  }, Pages)
  if opts.starting_token then
    self.token, self.skip = decode_token(config, opts.starting_token)
    self.resumed, self.bad_token = true, not self.token and opts.starting_token
  end
  return self
end

---@class sagemaker.Items iterator over items; call it in a `for`, or use :next()
---@field pages sagemaker.Pages
local Items = {}
Items.__index = Items
Items.__name = "sagemaker.items"

--- The next item of the pages' result key.
---@return any item nil at the end, and on failure
---@return string|nil message on failure
---@return sagemaker.Error|nil err on failure
function Items:next()
  while true do
    local at = self.at + 1
    local item = self.items[at]
    if item ~= nil then
      self.at = at
      return item
    end
    local page, message, err = self.pages:next()
    if not page then return nil, message, err end
    local items = self.get(page)
    self.items, self.at = type(items) == "table" and items or {}, 0
  end
end

--- For generic `for`: the next item or nil; raises the err table on failure.
function Items:__call()
  local item, _, err = self:next()
  if err then error(err, 0) end
  return item
end

--- An iterator over the items of pages.
---@param pages sagemaker.Pages
---@return sagemaker.Items
function M.items(pages)
  return setmetatable({ pages = pages, items = {}, at = 0, get = pages.paths.result[1] }, Items)
end

return M
