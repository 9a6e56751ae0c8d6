--- Makes csrc/sm_unicode.c from the Unicode Character Database.
--
--   lua csrc/model/unicode.lua UnicodeData.txt > csrc/sm_unicode.c
--
-- UnicodeData.txt: https://www.unicode.org/Public/15.0.0/ucd/UnicodeData.txt (Debian's package
-- unicode-data has it). Only the first letter of the general category is kept: one row per run of
-- code points of the same letter.

local LETTERS = { C = 0, L = 1, M = 2, N = 3, P = 4, S = 5, Z = 6 }

--- Rows {first, last, letter} of the file, by code point.
local function read(path)
  local rows, open = {}, nil
  for line in io.lines(path) do
    local hex, name, letter = line:match("^(%x+);([^;]*);(%u)")
    local code = tonumber(hex, 16)
    if name:find(", First>$") then
      open = code
    else
      rows[#rows + 1] = { open or code, code, letter }
      open = nil
    end
  end
  return rows
end

--- Starts of runs as numbers start * 8 + category; gaps are unassigned.
local function runs(rows)
  local list, last = {}, nil
  local function add(start, letter)
    if letter ~= last then
      list[#list + 1] = start * 8 + LETTERS[letter]
      last = letter
    end
  end
  local expected = 0
  for _, row in ipairs(rows) do
    if row[1] > expected then add(expected, "C") end
    add(row[1], row[3])
    expected = row[2] + 1
  end
  if expected <= 0x10FFFF then add(expected, "C") end
  return list
end

local list = runs(read(assert(arg[1], "usage: unicode.lua UnicodeData.txt")))
io.write([[
/* Made by csrc/model/unicode.lua from UnicodeData.txt 15.0: do not edit. */
#include "sm_unicode.h"

/* First code point of a run << 3 | its category. */
static const uint32_t runs[] = {
]])
for i = 1, #list, 7 do
  local line = {}
  for j = i, math.min(i + 6, #list) do line[#line + 1] = ("0x%06X,"):format(list[j]) end
  io.write("    ", table.concat(line, " "), "\n")
end
io.write([[
};

unsigned sm_unicode_category (uint32_t code) {
  size_t low = 0, high = sizeof(runs) / sizeof(runs[0]);
  if (code > 0x10FFFF)
    return SM_U_C;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (runs[middle] >> 3 <= code)
      low = middle;
    else
      high = middle;
  }
  return runs[low] & 7;
}
]])
