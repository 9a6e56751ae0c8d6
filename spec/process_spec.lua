local core = require "sagemaker.core"

describe("core.process", function()
  local process = core.process

  local function shell(command)
    local pipe = assert(io.popen(command))
    local text = pipe:read("*a")
    pipe:close()
    return (text:gsub("%s+$", ""))
  end

  it("makes folders for their owner only", function()
    local path = assert(process.folder((os.getenv "TMPDIR" or "/tmp") .. "/sagemaker-spec-"))
    finally(function() os.remove(path) end)
    assert.equal("700", shell("stat -c %a " .. path))
    local none, message, code = process.folder("/nowhere/x")
    assert.is_nil(none)
    assert.matches("^/nowhere/x.*: No such file", message)
    assert.equal(2, code)
    assert.is_nil((process.folder(("x"):rep(5000))))
    assert.is_nil((process.folder("a\0b")))
  end)

  it("finds ports that are free", function()
    local port = assert(process.port("127.0.0.1", 0))
    assert.is_true(port > 0 and port < 65536)
    assert.equal(port, process.port("127.0.0.1", port))
    assert.matches("Invalid", (select(2, process.port("127.0.0.1", 65536))))
    assert.matches("Invalid", (select(2, process.port("127.0.0.1", -1))))
    assert.matches("Invalid", (select(2, process.port("127.0.0.1", 2 ^ 33 + port))))
    assert.matches("^203%.0%.113%.1 port 0: ", (select(2, process.port("203.0.113.1", 0))))
    assert.matches("^no such host port 80: Name ",
      (select(2, process.port("no such host", 80))))
  end)

  it("runs programs and tells how they ended", function()
    assert.equal(0, process.run { "true" })
    assert.equal(7, process.run { "sh", "-c", "exit 7" })
    assert.equal(127, process.run { "/nowhere/program" })
    assert.equal(128 + 9, process.run { "sh", "-c", "kill -9 $$" })
  end)

  it("runs a program in another folder", function()
    assert.equal(0, process.run { "sh", "-c", '[ "$(pwd)" = / ]', folder = "/" })
    assert.equal(127, process.run { "true", folder = "/nowhere" })
    assert.has_error(function() process.run { "true", folder = true } end)
  end)

  it("hands signals on and survives them", function()
    local script = 'trap "exit 40" %s; kill -%s $PPID; while :; do sleep 0.01; done'
    for _, case in ipairs { { "TERM", "TERM" }, { "INT", "INT" }, { "TERM", "HUP" } } do
      assert.equal(40, process.run { "sh", "-c", script:format(case[1], case[2]) })
    end
  end)

  it("lets signals wait that come before a program is there", function()
    process.hold()
    finally(function() process.release() end)
    shell "kill -TERM $PPID"
    local status = process.run { "sh", "-c", 'trap "exit 40" TERM; while :; do sleep 0.01; done' }
    assert.is_true(status == 40 or status == 128 + 15, status)
    -- The program itself has no signal held.
    assert.equal(128 + 15, process.run { "sh", "-c", "kill -TERM $$; exit 1" })
  end)

  it("appends to a file that its output goes to", function()
    local path = os.tmpname()
    finally(function() os.remove(path) end)
    local lua = os.getenv "SAGEMAKER_LUA" or "lua"
    local script = 'require("sagemaker.core").process.run { "sh", "-c", '
      .. '"echo one; echo two >>/dev/stdout; echo three; echo four >>/dev/stderr; echo five" }'
    shell(("%s -e '%s' >%s 2>&1"):format(lua, script, path))
    local file = assert(io.open(path))
    local text = file:read("*a")
    file:close()
    assert.equal("one\ntwo\nthree\nfour\nfive\n", text)
  end)

  it("throws when it is asked wrongly", function()
    assert.has_error(function() process.run {} end)
    assert.has_error(function() process.run { 1 } end)
    assert.has_error(function() process.run { "true\0false" } end)
    assert.has_error(function() process.run "true" end)
    assert.has_error(function() process.folder() end)
    assert.has_error(function() process.port("127.0.0.1") end)
  end)
end)
