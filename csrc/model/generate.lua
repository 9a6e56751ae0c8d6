--- Makes the generated files of the project from the service models.
--
--   lua csrc/model/generate.lua [--check] [--out FOLDER] MODELS
--
-- MODELS is the folder with sagemaker/service.json, sagemaker/waiters.json, partitions.json and so
-- on, in botocore's form without its documentation. Run it from the top of the project; --out names
-- another folder to write to. --check writes nothing: it names the files that differ from what the
-- models give, and exits with 1 if there are any. Any Lua from 5.1 on; needs nothing else.

local here = arg[0]:match("^(.*)[/\\]") or "."
package.path = here .. "/?.lua;" .. package.path

local project = require "gen.project"

local USAGE = "usage: lua csrc/model/generate.lua [--check] [--out FOLDER] MODELS\n"

local function parse(argv)
  local options, i = { out = "." }, 1
  while argv[i] do
    if argv[i] == "--check" then
      options.check = true
    elseif argv[i] == "--out" then
      i = i + 1
      options.out = argv[i]
    elseif options.models or argv[i]:sub(1, 1) == "-" then
      return nil
    else
      options.models = argv[i]
    end
    i = i + 1
  end
  return options.models and options.out and options
end

local function main(argv)
  local options = parse(argv)
  if not options then
    io.stderr:write(USAGE)
    return 2
  end
  local ok, files = pcall(project.files, options.models)
  if not ok then
    io.stderr:write("generate.lua: ", tostring(files), "\n")
    return 2
  end
  local differing = project.differing(files, options.out)
  if not options.check then
    project.write(files, options.out)
    return 0
  end
  for _, path in ipairs(differing) do
    io.stderr:write(path, " is not what the models give\n")
  end
  return #differing == 0 and 0 or 1
end

os.exit(main(arg))
