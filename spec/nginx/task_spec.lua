-- sagemaker.task on nginx's light threads.
local nginx = require "support.nginx"

describe("nginx.task", function()
  local available, reason = nginx.available()
  if not available then
    pending(reason)
    return
  end

  local one
  local crew = nginx.crew()

  -- No model is done before 18 work.
  setup(function() one = nginx.start{ locations = [[
    location = /model { content_by_lua_block {
      local state = ngx.shared.sagemaker
      state:incr("working", 1, 0)
      for _ = 1, 2000 do
        if state:get("working") >= 18 then return ngx.print("{}") end
        ngx.sleep(0.005)
      end
      ngx.exit(504)
    } }
  ]] } end)
  after_each(crew.stop)
  teardown(function() one:stop() end)

  it("runs calls side by side, and gives back what each has answered", function()
    local rows, curl = one:lua([[
      local sagemaker = require "sagemaker"
      local transport = require("sagemaker.transport.resty").new()
      local function call()
        return assert(transport:send{ method = "GET", url = %q, headers = {}, body = "" }).status
      end
      local list = { function() error("no", 0) end, function() return nil, "why" end }
      for i = 3, 20 do list[i] = call end
      local rows = sagemaker.all(list)
      local text = {}
      for i = 1, 3 do
        text[i] = ("%%s %%s %%s %%d"):format(tostring(rows[i][1]), tostring(rows[i][2]),
          tostring(rows[i][3]), rows[i].n)
      end
      return #rows .. " " .. table.concat(text, ", "),
        package.loaded["sagemaker.curl"] ~= nil ]], one:url("/model"))
    assert.equal("20 false no nil 2, true nil why 3, true 200 nil 2", rows)
    assert.is_false(curl)
  end)

  it("keeps the tasks of requests apart", function()
    local out = one:lua([[
      local task = require("sagemaker").task
      local said = {}
      local result = task.run(function(a, b)
        local inner = task.spawn(function() task.sleep(0.02) said[#said + 1] = "inner" return 7 end)
        task.spawn(function() said[#said + 1] = tostring(task.current()) task.sleep(0.05)
          said[#said + 1] = "late" end)
        local ok, seven = inner:wait()
        return a + b + seven
      end, 1, 2)
      return result .. " " .. table.concat(said, ", ") .. " " .. tostring(task.current()) ]])
    assert.equal("10 sagemaker.task (under way), inner, late nil", out)
  end)

  it("raises what fails, and ends the rest", function()
    local first, second, log = one:lua([[
      local task = require("sagemaker").task
      local done = "not done"
      local _, first = pcall(task.run, function()
        task.spawn(function() task.sleep(0.05) done = "done" end)
        error("outer", 0)
      end)
      local _, second = pcall(task.run, function()
        task.spawn(function() error("inner", 0) end)
      end)
      task.sleep(0.1)
      return first, second, done ]])
    assert.same({ "outer", "inner", "not done" }, { first, second, log })
  end)

  it("has time limits, and cancels", function()
    local code, value, status = one:lua([[
      local task = require("sagemaker").task
      local nothing, message, err = task.timeout(0.03, function() task.sleep(1) end)
      local value = task.timeout(1, function(x) task.sleep(0.01) return x end, 5)
      local long = task.spawn(function() task.sleep(5) end)
      local first, again = long:cancel(), long:cancel()
      local ok, why = long:wait()
      return err.code, value, ("%s %s %s %s %s"):format(tostring(long), tostring(first),
        tostring(again), tostring(ok), why.code) ]])
    assert.same({ "TaskTimeout", 5, "sagemaker.task (cancelled) true false false TaskCancelled" },
      { code, value, status })
  end)

  it("says where it cannot be used", function()
    local other = crew.start{ http = [[ init_by_lua_block {
      local _, message = pcall(require("sagemaker").all, { function() end })
      ngx.shared.sagemaker:set("init", message) } ]] }
    assert.truthy(other:lua("return ngx.shared.sagemaker:get('init')")
      :find("nginx cannot wait in the phase 'init'", 1, true))
    assert.truthy(select(2, pcall(other.lua, other, "require('sagemaker').task.loop()"))
      :find("nginx's own", 1, true))
    assert.truthy(select(2, pcall(other.lua, other, "require('sagemaker').task.spawn(1)"))
      :find("a task is a function", 1, true))
  end)
end)
