-- The names of all commands and of all their options, and whether they must be given, beside the
-- AWS CLI's own tables.

local cjson = require "cjson"
local options_of = require "sagemaker.cli.options"
local support = require "support"

local core = require "sagemaker.core"

local dir = support.conformance()

local function decode(name)
  return cjson.decode(support.read(dir .. "/golden/" .. name))
end

local TYPES = { structure = "structure", list = "list", map = "map" }

local function rows_of(service_name, command)
  local service = core.service(service_name)
  local operation = service:operation((command:gsub("-", "_")))
  assert.truthy(operation, command)
  local paginator = service_name == "sagemaker"
    and require("sagemaker.model.paginators")[operation.name] or nil
  local rows, arguments = options_of.of(service, operation, paginator)
  local found = {}
  for _, row in ipairs(rows) do found[row.name] = row end
  for _, argument in ipairs(arguments or {}) do found[argument.name] = argument end
  return found
end

-- Options of ours that the tables of version 1 lack: version 2 has the first, and versions of both
-- have the others except where the answer is a stream.
local OURS = { ["cli-input-yaml"] = true, ["cli-input-json"] = true,
  ["generate-cli-skeleton"] = true }

-- What the model of this project has and the older one of the tables has not, or has as required.
local NEWER = { body = true, ["home-efs-file-system-creation"] = true, ["included-data"] = true,
  ["input-location"] = true, ["training-plan-arns"] = true }

-- One command beside its entry in the tables.
local function check(service_name, command, entry)
  it(service_name .. " " .. command, function()
    local found = rows_of(service_name, command)
    for name, option in pairs(entry.options) do
      local row = found[name]
      assert.truthy(row, "--" .. name)
      if not NEWER[name] then assert.equal(option.required, row.required or false, name) end
      if option.hidden then assert.is_true(row.hidden, name) end
      if option.param and row.member then
        assert.equal(option.param, row.key, name)
        assert.equal(option.type, row.member.type, name)
        assert.equal(TYPES[option.type] == "list", row.kind == "list", name)
      end
    end
    for name in pairs(found) do
      assert.truthy(entry.options[name] or OURS[name] or NEWER[name], "--" .. name)
    end
  end)
end

describe("options of all commands", function()
  if not dir then pending("the conformance vectors are not at hand") return end
  local ran = 0
  for service_name, commands in pairs(decode "cli_tables.json") do
    for command, entry in pairs(commands) do
      if command ~= "wait" then -- which has commands below it instead of options
        ran = ran + 1
        check(service_name, command, entry)
      end
    end
  end
  support.tally("cli_tables.json", ran, {})
end)

describe("names", function()
  if not dir then pending("the conformance vectors are not at hand") return end
  local ran = 0
  for service_name, operations in pairs(decode "xform.json") do
    local service = core.service(service_name)
    if service then
      it("of " .. service_name, function()
        for name, entry in pairs(operations) do
          assert.equal(entry.cli, options_of.xform(name))
          assert.equal(name, service:operation((entry.cli:gsub("-", "_"))).name)
          for member, names in pairs(entry.params or {}) do
            assert.equal(names.cli, options_of.xform(member))
          end
        end
      end)
      for _ in pairs(operations) do ran = ran + 1 end
    end
  end
  support.tally("xform.json", ran, {})
end)
