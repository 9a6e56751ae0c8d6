--- Tables with frames, for people; as the AWS CLI draws them.
--
-- A value becomes sections, each with a title, perhaps headers, and rows; what is nested deeper
-- becomes a section of its own, one frame further in. All sections have the width of the widest. A
-- table that is wider than the terminal is turned: headers down the left side, values beside them.

local document = require "sagemaker.cli.document"
local plain = require "sagemaker.cli.output.plain"
local width = require "sagemaker.cli.output.width"

local M = {}

local kind, is_scalar, columns_of = document.kind, document.is_scalar, width.of

---@class sagemaker.cli.output.Section
---@field title string
---@field level integer frames around it
---@field headers string[]
---@field rows string[][]
---@field widths integer[] of the widest text in each column

local function new_section(sections, title, level)
  local section = { title = title or "", level = level, headers = {}, rows = {}, widths = {} }
  sections[#sections + 1] = section
  return section
end

local function measure(section, fields)
  for i, field in ipairs(fields) do
    section.widths[i] = math.max(section.widths[i] or 0, columns_of(field))
  end
end

local function set_headers(section, headers)
  measure(section, headers)
  section.headers = headers
end

-- Rows of lists may differ in length; a table has as many columns as the longest.
local function add_row(section, values)
  local fields = {}
  for i, value in ipairs(values) do fields[i] = plain.text(value) end
  measure(section, fields)
  section.rows[#section.rows + 1] = fields
end

-- Values to sections.

local build -- forward

-- The keys under which any of some objects has a scalar, and those with something else.
local function group_keys(objects)
  local scalars, rest = {}, {}
  for i = 1, #objects do
    if kind(objects[i]) == "object" then
      for key, value in pairs(objects[i]) do
        if is_scalar(value) then scalars[key] = true else rest[key] = true end
      end
    end
  end
  return document.sorted_keys(scalars), document.sorted_keys(rest)
end

local function build_object(sections, object, level)
  local section = sections[#sections]
  local headers, rest = group_keys { object }
  if #headers == 1 then
    add_row(section, { headers[1], object[headers[1]] })
  elseif #headers > 1 then
    local values = {}
    for i, key in ipairs(headers) do values[i] = object[key] end
    set_headers(section, headers)
    add_row(section, values)
  end
  for _, key in ipairs(rest) do build(sections, key, object[key], level + 1) end
end

local function build_objects(sections, title, list, level)
  local headers, rest = group_keys(list)
  set_headers(sections[#sections], headers)
  for i = 1, #list do
    local object = kind(list[i]) == "object" and list[i] or {}
    if i > 1 and #rest > 0 then set_headers(new_section(sections, title, level), headers) end
    local values = {}
    for at, key in ipairs(headers) do
      local value = object[key]
      if value == nil then value = "" end
      values[at] = value
    end
    add_row(sections[#sections], values)
    for _, key in ipairs(rest) do
      if object[key] ~= nil then build(sections, key, object[key], level + 1) end
    end
  end
end

local function all_scalars(list)
  for i = 1, #list do
    if not is_scalar(list[i]) then return false end
  end
  return true
end

-- An object between other items has a section without a title for itself.
local function build_list(sections, list)
  local is_apart = false
  for i = 1, #list do
    local item = list[i]
    local is_object = kind(item) == "object"
    if is_object or is_apart then new_section(sections, nil, sections[#sections].level) end
    is_apart = is_object
    if is_scalar(item) then
      add_row(sections[#sections], { item })
    elseif not is_object and all_scalars(item) then
      add_row(sections[#sections], item)
    else
      build(sections, nil, item, 0)
    end
  end
end

local EMPTY_SCALARS = { [""] = true, [false] = true, [0] = true }

local function is_empty(value)
  if is_scalar(value) then
    return kind(value) == "null" or EMPTY_SCALARS[document.number(value) or value] ~= nil
  end
  return next(value) == nil
end

function build(sections, title, value, level)
  if is_empty(value) then return end
  if title then new_section(sections, title, level) end
  local is = kind(value)
  if is == "object" then
    build_object(sections, value, level)
  elseif is == "list" and kind(value[1]) == "object" then
    build_objects(sections, title, value, level)
  elseif is == "list" then
    build_list(sections, value)
  end
end

-- Sections to lines.

-- The width that a section needs: its frames, and its columns with two spaces on either side.
local function total_width(section)
  local frames = 2 + 2 * section.level
  local total = frames
  for _, columns in ipairs(section.widths) do total = total + columns + 4 end
  return math.max(columns_of(section.title) + frames, total)
end

local function widest(sections)
  local most = 0
  for _, section in ipairs(sections) do most = math.max(most, total_width(section)) end
  return most
end

-- Every section of one row with headers, turned on its side.
local function turn(sections)
  for i, section in ipairs(sections) do
    if #section.rows == 1 and #section.headers > 0 then
      local turned = { title = section.title, level = section.level, headers = {}, rows = {},
        widths = {} }
      for at, header in ipairs(section.headers) do
        add_row(turned, { header, section.rows[1][at] })
      end
      sections[i] = turned
    end
  end
end

-- Rounds halves to the even side.
local function round(x)
  local floor = math.floor(x)
  local rest = x - floor
  if rest > 0.5 or (rest == 0.5 and floor % 2 == 1) then return floor + 1 end
  return floor
end

-- The columns of a section stretched or shrunk so that they fill the width exactly.
local function scaled_widths(section, full)
  local sum, scaled = 0, {}
  for i, columns in ipairs(section.widths) do
    scaled[i] = columns + 4
    sum = sum + scaled[i]
  end
  if #scaled == 0 then return scaled end
  local factor, off = full / sum, -full
  for i, columns in ipairs(scaled) do
    scaled[i] = round(factor * columns)
    off = off + scaled[i]
  end
  while off ~= 0 do
    local first, last, step = 1, #scaled, 1
    if off < 0 then first, last, step = #scaled, 1, -1 end
    for i = first, last, step do
      scaled[i] = scaled[i] - step
      off = off - step
      if off == 0 then break end
    end
  end
  return scaled
end

local function centered(text, full, left, columns)
  local before = math.floor(full / 2) - math.floor(columns / 2) - 1
  local after = full - 1 - #left - before - columns
  return left .. (" "):rep(before) .. text .. (" "):rep(after) .. "|"
end

local function left_aligned(text, full, left, columns)
  local padding = full - columns - 3 - #left >= 0 and 2 or 0
  return left .. (" "):rep(padding) .. text
    .. (" "):rep(full - #left - padding - columns - 1) .. "|"
end

local function rule(widths)
  local parts = {}
  for i, columns in ipairs(widths) do
    parts[i] = (i == 1 and "+" or "") .. ("-"):rep(columns - (i == 1 and 2 or 1)) .. "+"
  end
  return table.concat(parts)
end

local function cells(fields, widths, draw)
  local parts = {}
  for i, columns in ipairs(widths) do
    local field = fields[i]
    if field == nil then
      parts[i] = (" "):rep(columns - 1) .. "|"
    else
      parts[i] = draw(field, columns, i == 1 and "|" or "")
    end
  end
  return table.concat(parts)
end

-- With colours the AWS CLI resets them after each piece that it writes; so do we.
local PLAIN = { element = function(text) return text end, frame = "|", reset = "" }
local BRIGHT = {
  element = function(text) return "\27[1m\27[34m" .. text .. "\27[0m" end,
  frame = "\27[2m\27[33m|\27[0m",
  reset = "\27[0m",
}

local function draw_section(section, full, style, out)
  local frame, reset = style.frame:rep(section.level) .. style.reset, style.reset
  local function put(text)
    out(frame .. text .. reset .. frame .. "\n" .. reset)
  end
  full = full - 2 * section.level
  if section.title ~= "" then
    put(centered(section.title, full, "|", columns_of(section.title)))
    if #section.headers == 0 and #section.rows == 0 then put("+" .. ("-"):rep(full - 2) .. "+") end
  end
  local widths = scaled_widths(section, full)
  if #section.headers > 0 then
    put(rule(widths))
    put(cells(section.headers, widths, function(text, columns, left)
      return centered(text, columns, left, columns_of(text))
    end))
  end
  if #section.rows == 0 or #widths == 0 then return end
  put(rule(widths))
  for _, row in ipairs(section.rows) do
    put(cells(row, widths, function(text, columns, left)
      return left_aligned(style.element(text), columns, left, columns_of(text))
    end))
  end
  put(rule(widths))
end

--- Prints a value; nothing where it is empty.
---@param value any a document
---@param info {title: string, color?: boolean, columns?: integer} columns: of the terminal,
---   default 80
---@param out fun(text: string)
function M.write(value, info, out)
  local sections = {}
  build(sections, info.title, value, 0)
  if #sections == 0 then return end
  local full = widest(sections)
  if full > (info.columns or 80) then
    turn(sections)
    full = widest(sections)
  end
  local style = info.color and BRIGHT or PLAIN
  out(("-"):rep(full) .. "\n" .. style.reset)
  for _, section in ipairs(sections) do draw_section(section, full, style, out) end
end

return M
