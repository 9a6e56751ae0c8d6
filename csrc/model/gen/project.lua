--- Which files are generated, and from what.

local ctables = require "gen.ctables"
local json = require "gen.json"
local rows = require "gen.rows"
local types = require "gen.types"

local M = {}

local PAGES = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_"

M.services = {
  {
    folder = "sagemaker", file = "sagemaker", prefix = "sagemaker.", class = "sagemaker.Client",
    page = PAGES .. "%s.html",
  },
  {
    folder = "sagemaker-runtime", file = "sagemaker_runtime", prefix = "sagemaker.runtime.",
    class = "sagemaker.Runtime", page = PAGES .. "runtime_%s.html",
  },
  -- Alarms, and those that credentials come from, are called by this project only: they get no
  -- annotations.
  { folder = "cloudwatch", file = "cloudwatch" },
  { folder = "signin", file = "signin" },
  { folder = "sso", file = "sso" },
  { folder = "sso-oidc", file = "sso_oidc" },
  { folder = "sts", file = "sts" },
}

local function read(path)
  local file, message = io.open(path, "rb")
  if not file then error(message, 0) end
  local text = file:read("*a")
  file:close()
  return text
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

local DIGESTS = { "sha256sum", "shasum -a 256", "openssl dgst -sha256 -r" }

--- The SHA-256 of a file, by one of the usual commands.
local function digest(path)
  local quoted = "'" .. path:gsub("'", "'\\''") .. "'"
  for _, command in ipairs(DIGESTS) do
    local pipe = io.popen(command .. " " .. quoted .. " 2>/dev/null")
    local sum = pipe and pipe:read("*a"):match("^%x+")
    if pipe then pipe:close() end
    if sum and #sum == 64 then return sum end
  end
  error("none of these commands gives a SHA-256: " .. table.concat(DIGESTS, ", "), 0)
end

-- A decoded file with its digest.
local function source(folder, name)
  local path = folder .. "/" .. name
  local ok, data = pcall(json.decode, read(path))
  if not ok then error(path .. ": " .. data, 0) end
  return { name = name, digest = digest(path), data = data }
end

-- The files of this name of all services that have one.
local function sources(models, name)
  local list = {}
  for _, service in ipairs(M.services) do
    if exists(models .. "/" .. service.folder .. "/" .. name) then
      list[#list + 1] = source(models, service.folder .. "/" .. name)
    end
  end
  return list
end

--- Makes all generated files in memory.
---@param models string folder of the service models
---@return table<string, string> files path below the project's top -> contents
function M.files(models)
  os.setlocale("C") -- table.sort compares bytes
  local files = {}
  for _, service in ipairs(M.services) do
    local model = source(models, service.folder .. "/service.json")
    files["csrc/model/" .. service.file .. ".c"] =
      ctables.write(model.data, service.file, model.digest)
    if service.class then
      files["lua/sagemaker/model/types/" .. service.file .. ".lua"] =
        types.write(model.data, service, model.digest)
    end
    files["lua/sagemaker/model/endpoint_rules/" .. service.file .. ".lua"] =
      rows.endpoint_rules(source(models, service.folder .. "/endpoint-rule-set.json"))
  end
  files["lua/sagemaker/model/waiters.lua"] = rows.waiters(sources(models, "waiters.json"))
  files["lua/sagemaker/model/paginators.lua"] = rows.paginators(sources(models, "paginators.json"))
  files["lua/sagemaker/model/partitions.lua"] = rows.partitions(source(models, "partitions.json"))
  files["lua/sagemaker/model/defaults_modes.lua"] =
    rows.defaults_modes(source(models, "sdk-default-configuration.json"))
  return files
end

--- The generated files below `top` that are not what the models give, sorted.
---@param files table<string, string> as M.files answers
---@param top string
---@return string[] paths
function M.differing(files, top)
  local list = {}
  for _, path in ipairs(json.sorted(files)) do
    local file = io.open(top .. "/" .. path, "rb")
    local text = file and file:read("*a")
    if file then file:close() end
    if text ~= files[path] then list[#list + 1] = path end
  end
  return list
end

--- Writes the files below `top`, whose folders exist.
---@param files table<string, string>
---@param top string
function M.write(files, top)
  for _, path in ipairs(json.sorted(files)) do
    local file, message = io.open(top .. "/" .. path, "wb")
    if not file then error(message, 0) end
    file:write(files[path])
    file:close()
  end
end

return M
