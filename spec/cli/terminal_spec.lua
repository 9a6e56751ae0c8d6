--- The command on a terminal: what is typed while a picture is drawn.

local server = require "support.server"

local LUA = os.getenv "SAGEMAKER_LUA" or "lua5.4"
local BUILD = os.getenv "SAGEMAKER_BUILD" or "build/lua5.4"

local ANSWER = '{"EndpointName":"x","EndpointStatus":"Updating","EndpointConfigName":"v1",'
  .. '"CreationTime":1,"LastModifiedTime":1}'

describe("the command on a terminal", function()
  local crew = server.crew()

  after_each(crew.stop)
  teardown(server.clean)

  if not select(2, server.shell "python3 -c 'import pty'") then
    return pending "there is no python3, which makes the terminal"
  end

  -- Runs `watch` on a terminal, and types: pairs of what must have come, and the keys. Answers what
  -- the terminal got, whether it showed keys each time and at the end, and the exit status.
  local function watch(options, ...)
    local service = crew.bad { "read", ("send:HTTP/1.1 200 OK\\r\\nContent-Type: "
      .. "application/x-amz-json-1.1\\r\\nContent-Length: %d\\r\\n\\r\\n%s"):format(#ANSWER,
      ANSWER), "again" }
    local command = ("LD_PRELOAD='%s' exec %s lua/sagemaker/cli/main.lua watch x --delay 1 "
      .. "--endpoint-url %s %s"):format(os.getenv "LD_PRELOAD" or "", LUA, service:url(), options)
    local words = { server.quote(command) }
    for _, word in ipairs { ... } do words[#words + 1] = server.quote(word) end
    local output = server.shell(("export LUA_PATH='lua/?.lua;lua/?/init.lua;;' LUA_CPATH="
      .. "'%s/?.so;;' AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=example-key "
      .. "AWS_REGION=eu-west-1 TERM=xterm LANG=C; python3 spec/support/on_terminal.py %s"):format(
      BUILD, table.concat(words, " ")))
    local text, echo, code = output:match "^(.*)\necho: ([%a ]+)\ncode: (%-?%d+)\n$"
    assert(text, output)
    return text, echo, tonumber(code)
  end

  it("shows no keys in a picture, and is given back as it was", function()
    local text, echo, code = watch("", "Updating", "\\n\\nabc\\n", "Updating", "\\x03")
    assert.equal(130, code)
    assert.equal("no no yes", echo)
    assert.truthy(text:find("Interrupted", 1, true), text)
    assert.is_nil(text:find("abc", 1, true), text)
    assert.is_nil(text:find("\n\n", 1, true), text)
  end)

  it("is left alone where lines are printed", function()
    local _, echo, code = watch("--output text", "Updating", "\\x03")
    assert.equal(130, code)
    assert.equal("yes yes", echo)
  end)

  it("is given back when the command is ended, too", function()
    local _, echo, code = watch("", "Updating", "end")
    assert.equal(143, code)
    assert.equal("no yes", echo)
  end)

  it("is given back while the command is stopped; what stands there then is left", function()
    local text, echo, code = watch("", "Updating", "stop", "Updating", "\\x03")
    assert.equal(130, code)
    assert.equal("no yes no yes", echo)
    -- The second picture is drawn below the first one.
    local between = text:match "Updating(.-)Updating"
    assert.is_nil(between:find("\27%[%dA"), text)
  end)
end)
