--- A page of help: sections of paragraphs, lists of terms and literal lines, and its two forms,
-- text for a terminal and roff for man(1).

local text = require "sagemaker.cli.view.text"

local M = {}

---@class sagemaker.cli.Page
---@field name string "sagemaker-create-endpoint"
---@field summary string
---@field sections {title: string, blocks: table[]}[]
local Page = {}
Page.__index = Page
Page.__name = "sagemaker.cli.page"

--- Begins a section.
---@param title string
function Page:section(title)
  self.sections[#self.sections + 1] = { title = title, blocks = {} }
end

local function add(page, block)
  local blocks = page.sections[#page.sections].blocks
  blocks[#blocks + 1] = block
end

--- Adds a paragraph.
---@param words string
function Page:paragraph(words)
  add(self, { kind = "paragraph", text = words })
end

--- Adds a term and what it means.
---@param term string
---@param words string|nil
---@param literal? string[] lines that are kept as they are; with them the text has lines of its own
function Page:item(term, words, literal)
  add(self, { kind = "item", term = term, text = words, literal = literal })
end

--- Adds lines that are kept as they are.
---@param lines string[]
function Page:literal(lines)
  add(self, { kind = "literal", lines = lines })
end

--- Adds a command line that is broken between its words.
---@param words string[] each stays in one line
function Page:synopsis(words)
  add(self, { kind = "synopsis", words = words })
end

--- A page.
---@param name string
---@param summary string
---@return sagemaker.cli.Page
function M.new(name, summary)
  return setmetatable({ name = name, summary = summary, sections = {} }, Page)
end

-- Text for a terminal.

local INDENT, DEEPER = "    ", "        "

-- Where the text of an item begins beside its term, and how wide a page must be for that.
local BESIDE, WIDE = 26, 50

-- A page that is narrower has smaller margins, and puts the text of an item below its term.
local function margins(columns)
  if columns >= WIDE then return INDENT, DEEPER end
  return "  ", "    "
end

local function append(lines, more, prefix)
  for _, line in ipairs(more) do
    lines[#lines + 1] = line == "" and "" or (prefix or "") .. line
  end
end

local writers = {}

function writers.paragraph(lines, block, columns)
  append(lines, text.wrap(block.text, columns, (margins(columns))))
  lines[#lines + 1] = ""
end

function writers.item(lines, block, columns, style)
  local indent, deeper = margins(columns)
  local term = style:paint("bold", block.term)
  if block.literal then
    lines[#lines + 1] = indent .. term
    if block.text then append(lines, text.wrap(block.text, columns, deeper)) end
    append(lines, block.literal, deeper)
    lines[#lines + 1] = ""
    return
  end
  local column = (" "):rep(BESIDE)
  if columns < WIDE then
    column = deeper
  elseif text.width(term) <= BESIDE - #indent - 2 then
    append(lines, text.wrap(block.text, columns, column,
      indent .. text.pad(term, BESIDE - #indent)))
    return
  end
  lines[#lines + 1] = indent .. term
  append(lines, text.wrap(block.text, columns, column))
end

function writers.literal(lines, block, columns)
  append(lines, block.lines, (margins(columns)))
  lines[#lines + 1] = ""
end

function writers.synopsis(lines, block, columns)
  local line, deeper = margins(columns)
  for i, word in ipairs(block.words) do
    if i > 1 and #line + 1 + #word > columns then
      lines[#lines + 1] = line
      line = deeper .. word
    else
      line = i == 1 and line .. word or line .. " " .. word
    end
  end
  lines[#lines + 1] = line
  lines[#lines + 1] = ""
end

--- The page for a terminal.
---@param page sagemaker.cli.Page
---@param style sagemaker.cli.Style
---@return string[] lines
function M.text(page, style)
  local columns = math.min(style.columns, 100)
  local lines = {}
  for _, section in ipairs(page.sections) do
    if lines[1] and lines[#lines] ~= "" then lines[#lines + 1] = "" end
    lines[#lines + 1] = style:paint("bold", section.title)
    local before
    for _, block in ipairs(section.blocks) do
      if before == "item" and block.kind ~= "item" and lines[#lines] ~= "" then
        lines[#lines + 1] = ""
      end
      writers[block.kind](lines, block, columns, style)
      before = block.kind
    end
  end
  while lines[#lines] == "" do lines[#lines] = nil end
  return lines
end

-- Roff.

-- A line of text: no escape, no hyphen that is set as another character, no control line.
local function roff(words)
  words = words:gsub("\\", "\\e"):gsub("-", "\\-"):gsub("…", "..."):gsub("→", "->")
  return (words:gsub("^([.'])", "\\&%1"))
end

-- What stands between backquotes is set in bold.
local function marked(words)
  return (roff(words):gsub("`([^`]+)`", "\\fB%1\\fR"))
end

local setters = {}

function setters.paragraph(lines, block)
  append(lines, { ".PP", marked(block.text) })
end

local function verbatim(lines, more)
  lines[#lines + 1] = ".nf"
  for _, line in ipairs(more) do lines[#lines + 1] = roff(line) end
  lines[#lines + 1] = ".fi"
end

function setters.item(lines, block)
  append(lines, { ".TP", "\\fB" .. roff(block.term) .. "\\fR", block.text and marked(block.text) })
  if block.literal and #block.literal > 0 then
    lines[#lines + 1] = block.text and ".RS" or "\\&"
    verbatim(lines, block.literal)
    if block.text then lines[#lines + 1] = ".RE" end
  end
end

function setters.literal(lines, block)
  append(lines, { ".PP", ".RS 4" })
  verbatim(lines, block.lines)
  lines[#lines + 1] = ".RE"
end

function setters.synopsis(lines, block)
  append(lines, { ".HP 4", marked(table.concat(block.words, " ")) })
end

--- The page for man(1), section 1.
---@param page sagemaker.cli.Page
---@param version string
---@return string[] lines
function M.roff(page, version)
  local title = page.name:upper():gsub("%-", "\\-")
  local lines = {
    ('.TH "%s" "1" "" "Amazon SageMaker for Lua %s" "User Commands"'):format(title, version),
    ".ad l", ".nh", ".SH NAME", roff(page.name) .. " \\- " .. roff(page.summary),
  }
  for _, section in ipairs(page.sections) do
    if section.title ~= "NAME" then
      lines[#lines + 1] = (".SH %s"):format(roff(section.title))
      for _, block in ipairs(section.blocks) do setters[block.kind](lines, block) end
    end
  end
  return lines
end

return M
