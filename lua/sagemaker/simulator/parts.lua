--- The parts of a container's answer: all at once in a body, or one after the other as they come.

local M = {}

-- The longest part, where the container does not say where parts end.
local PART = 8192

---@class sagemaker.simulator.answer of a container
---@field status integer
---@field headers table<string, string> by lower-case name
---@field body string|nil nil where there is `next`
---@field parts string[]|nil
---@field next (fun(): string|nil)|nil the next part; nil at the end, after which `stream_error`
--- says whether it was one
---@field close fun()|nil gives a stream up
---@field stream_error {code: string, message: string}|nil how the stream ends
---@field seconds number|nil

local function broken(code, message)
  return { code = code, message = message }
end

-- Parts from a function of the user's.
local function next_of(answer, fn)
  return function()
    local ok, part = pcall(fn)
    if ok and part == nil then return nil end
    if ok and type(part) == "string" then return part end
    answer.stream_error = broken("StreamBroken",
      ok and "the function of the container gave a part that is no string" or tostring(part))
    return nil
  end
end

-- Reads a stream to its end.
local function gather(answer)
  local list = {}
  for part in answer.next do list[#list + 1] = part end
  answer.next, answer.close = nil, nil
  answer.parts, answer.body = list, table.concat(list)
end

--- Gives an answer the parts that a function or an echo has for it.
---@param answer sagemaker.simulator.answer
---@param list string[]|(fun(): string|nil)|nil
---@param streams boolean|nil true: they may come one after the other; nil: there is no stream that
--- could tell how they end
---@return sagemaker.simulator.answer
function M.take(answer, list, streams)
  if type(list) == "function" then
    local ends = answer.stream_error
    answer.body, answer.next, answer.close = nil, next_of(answer, list), function() end
    if streams then return answer end
    gather(answer)
    if streams == nil and answer.stream_error ~= ends then
      answer.status, answer.body = 500, answer.stream_error.message
    end
    return answer
  end
  answer.parts, answer.body = list, answer.body or table.concat(list or {})
  return answer
end

-- What became of a transfer, in the words of a stream's end.
local function failure_of(err, message)
  local late = type(err) == "table" and err.kind == "timeout"
  return broken(late and "ModelInvocationTimeExceeded" or "StreamBroken", tostring(message))
end

--- Gives an answer what a transport reads, when it reads.
---@param answer sagemaker.simulator.answer
---@param reader table|nil response.reader of a transport
---@return sagemaker.simulator.answer
function M.read(answer, reader)
  if not reader then
    answer.body = answer.body or ""
    return answer
  end
  answer.body = nil
  function answer.close() reader:close() end
  function answer.next()
    local bytes, message, err = reader:read()
    if not bytes and message then answer.stream_error = failure_of(err, message) end
    return bytes
  end
  return answer
end

-- The events of a body, each as a part.
local function events_of(body)
  local list, at = {}, 1
  while at <= #body do
    local _, last = body:find("\r?\n\r?\n", at)
    list[#list + 1] = body:sub(at, last or #body)
    at = (last or #body) + 1
  end
  return list
end

--- The parts of an answer that is whole: those it names, its events where it is a stream of events,
-- else pieces of one size.
---@param answer sagemaker.simulator.answer
---@return string[]
function M.list(answer)
  if answer.parts then return answer.parts end
  local body = answer.body
  if (answer.headers["content-type"] or ""):find("^text/event%-stream") then
    return events_of(body)
  end
  local list = {}
  for at = 1, #body, PART do list[#list + 1] = body:sub(at, at + PART - 1) end
  return list
end

--- One part after the other, whether they are there or are still to come.
---@param answer sagemaker.simulator.answer
---@return fun(): string|nil
function M.each(answer)
  if answer.next then return answer.next end
  local list, i = M.list(answer), 0
  return function()
    i = i + 1
    return list[i]
  end
end

return M
