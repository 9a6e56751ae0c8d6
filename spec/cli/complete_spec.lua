--- Completion: what the command offers, and that bash, zsh and fish ask it rightly.

local command = require "support.command"
local server = require "support.server"
local write = require("support").write

-- The words that may follow a line, as one text, and the lines that are printed.
local function after(line, files)
  local argv = { "__complete" }
  for word in (line .. " "):gmatch("([^ ]*) ") do argv[#argv + 1] = word end
  local result = command.run(argv, { env = { HOME = "/home/ann" }, files = files })
  assert.same({ 0, "" }, { result.code, result.err })
  local names = {}
  for name in result.out:gmatch("([^\t\n]+)[^\n]*\n") do names[#names + 1] = name end
  return table.concat(names, " "), result.out
end

describe("completion", function()
  it("offers operations, commands and groups", function()
    assert.equal("create-endpoint create-endpoint-config", after "create-endpoint")
    assert.truthy(after("de"):find("deploy deregister-devices", 1, true))
    assert.truthy(after(""):find("wait", 1, true))
    assert.equal("invoke-endpoint invoke-endpoint-async invoke-endpoint-with-response-stream",
      after "runtime ")
    assert.equal("endpoint-deleted endpoint-in-service", after "wait endp")
    assert.equal("create-endpoint create-endpoint-config", after "help create-endpoint")
    assert.equal("create-endpoint create-endpoint-config", after "check create-endpoint")
  end)

  it("offers options: those of the operation first, none twice", function()
    local names = after "create-endpoint --"
    assert.truthy(names:find("^%-%-endpoint%-name %-%-endpoint%-config%-name"), names)
    assert.truthy(names:find("--region", 1, true))
    assert.equal("--endpoint-config-name --endpoint-url",
      after "create-endpoint --endpoint-name x --endpoint-")
    assert.equal("--canary", after "deploy --can")
    assert.equal("--endpoint-config-name", after "watch churn --endpoint-c")
    assert.equal("--body", after "runtime invoke-endpoint --bod")
    assert.equal("--endpoint-name", after "wait endpoint-in-service --endpoint-n")
  end)

  it("offers values", function()
    assert.equal("CreationTime Name Status", after "list-endpoints --sort-by ")
    assert.equal("json", after "--output js")
    assert.equal("json", after "list-endpoints --sort-by Name --output js")
    assert.equal("table text", after "list-endpoints --output = t")
    assert.equal("eu-west-1 eu-west-2 eu-west-3", after "list-endpoints --region eu-west")
    assert.equal("bash fish zsh", after "completion ")
    assert.equal("prod staging", after("--profile ",
      { ["/home/ann/.aws/config"] = "[profile prod]\n[profile staging]\n" }))
  end)

  it("leaves the word to file names where it knows nothing", function()
    assert.equal("", after "create-endpoint --cli-input-json file://")
    assert.equal("", after "create-endpoint --endpoint-name ")
    assert.equal("", after "no-such-operation ")
  end)

  it("says what each word is", function()
    local _, lines = after "create-endpoint --endpoint-n"
    assert.equal("--endpoint-name\tstring, required\n", lines)
  end)

  it("knows its shells", function()
    assert.equal(252, command.run({ "completion", "tcsh" }, { env = {} }).code)
  end)
end)

-- A folder with a command `sagemaker`, and the shell's script.
local function workshop(shell)
  local dir = server.folder()
  local program = dir .. "/sagemaker"
  local f = assert(io.open(program, "w"))
  -- A sanitized library needs what is preloaded into this Lua; a shell does not bear it.
  f:write(("#!/bin/sh\nexport LUA_PATH='%s' LUA_CPATH='%s' LD_PRELOAD='%s'\n"
    .. 'exec %s lua/sagemaker/cli/main.lua "$@"\n'):format(package.path, package.cpath,
      os.getenv "LD_PRELOAD" or "", os.getenv "SAGEMAKER_LUA" or "lua5.4"))
  f:close()
  server.shell("chmod +x " .. program)
  server.shell(("%s completion %s >%s/script"):format(program, shell, dir))
  return dir
end

local function has(program)
  return server.shell("command -v " .. program .. " || true"):find("%S") ~= nil
end

local function shell_spec(shell, run)
  it("works in " .. shell, function()
    if not has(shell) then
      pending(shell .. " is not installed")
      return
    end
    local dir = workshop(shell)
    write(dir .. "/in put.json", "{}")
    local output = run(dir)
    server.shell("rm -rf " .. dir)
    output = output:gsub(dir:gsub("%p", "%%%0"), "DIR"):gsub("in\\? put", "in put")
    assert.equal("--endpoint-config-name\nbash\nfile://DIR/in put.json\n", output)
  end)
end

describe("the script", function()
  shell_spec("bash", function(dir)
    write(dir .. "/try", [[
PATH=]] .. dir .. [[:$PATH
. ]] .. dir .. [[/script
complete -p sagemaker | grep -q -- '-o default' || echo "not registered"
COMP_WORDS=(sagemaker create-endpoint --endpoint-c); COMP_CWORD=2
_sagemaker_complete; printf '%s\n' "${COMPREPLY[@]}"
COMP_WORDS=(sagemaker completion b); COMP_CWORD=2
_sagemaker_complete; printf '%s\n' "${COMPREPLY[@]}"
COMP_WORDS=(sagemaker check --cli-input-json file : "//]] .. dir .. [[/in"); COMP_CWORD=5
_sagemaker_complete
[ "${COMPREPLY[0]}" = '//]] .. dir .. [[/in\ put.json' ] || echo "not after a colon: $COMPREPLY"
COMP_WORDS=(sagemaker check --cli-input-json "file://]] .. dir .. [[/in"); COMP_CWORD=3
_sagemaker_complete; printf '%s\n' "${COMPREPLY[@]}"
]])
    return server.shell(("bash --norc --noprofile %s/try"):format(dir))
  end)

  -- zsh completes in a terminal of its own; what it would insert is read from _describe's words.
  shell_spec("zsh", function(dir)
    write(dir .. "/try", [[
PATH=]] .. dir .. [[:$PATH
compdef() { }
_describe() { local name=$3; print -l -- ${${(P)name}%%:*} }
compset() {
  PREFIX=${words[CURRENT]#file://}
  [ "$2" = 'file(b|)://' ] && [ "$PREFIX" != "${words[CURRENT]}" ]
}
_files() { local found=($PREFIX*); print -rl -- file://$^found }
. ]] .. dir .. [[/script
words=(sagemaker create-endpoint --endpoint-c); CURRENT=3; _sagemaker
words=(sagemaker completion b); CURRENT=3; _sagemaker
words=(sagemaker check --cli-input-json file://]] .. dir .. [[/in); CURRENT=4; _sagemaker
]])
    return server.shell(("zsh -f %s/try"):format(dir))
  end)

  shell_spec("fish", function(dir)
    write(dir .. "/try", [[
set -x PATH ]] .. dir .. [[ $PATH
source ]] .. dir .. [[/script
complete -C 'sagemaker create-endpoint --endpoint-c' | cut -f1
complete -C 'sagemaker completion b' | cut -f1
complete -C 'sagemaker check --cli-input-json file://]] .. dir .. [[/in' | cut -f1
]])
    return server.shell(("HOME=%s fish --no-config %s/try"):format(dir, dir))
  end)
end)
