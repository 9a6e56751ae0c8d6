-- Threads of nginx that are killed in the middle of an exchange: what they used is given to nobody
-- else half way through an answer.
local nginx = require "support.nginx"
local server = require "support.server"

local LOCATIONS = [[
  location = /echo { content_by_lua_block {
    ngx.req.read_body()
    ngx.header["X-Id"] = ngx.var.arg_id
    ngx.print("id=", ngx.var.arg_id, ",", ngx.req.get_body_data() or "")
  } }
  location = /slow { content_by_lua_block {
    for i = 1, 50 do
      ngx.print("part", i)
      ngx.flush(true)
      ngx.sleep(0.002)
    end
  } }
]]

-- Several threads at once, some of them killed at any time: how many answers were right and wrong.
local ROUNDS = [[
  local transport = assert(require("sagemaker.transport.resty").new{})
  local stuck, slow, echo = %q, %q, %q
  local counts = { killed = 0, right = 0, wrong = 0 }
  math.randomseed(5)

  local function read_some(url)
    local response = assert(transport:send{ method = "GET", url = url, stream = true })
    response.reader:read()
    response.reader:read()
    if math.random(2) == 1 then response.reader:close() end
    ngx.sleep(10)
  end

  local function ask(id)
    local body = ("b"):rep(math.random(3000))
    local response = transport:send{ method = "POST", url = echo .. id, body = body }
    local is_right = response and response.headers["X-Id"] == id
      and response.body == "id=" .. id .. "," .. body
    local name = is_right and "right" or "wrong"
    counts[name] = counts[name] + 1
  end

  local KINDS = {
    function() transport:send{ method = "GET", url = stuck } end,
    function() read_some(slow) end,
    function() read_some(stuck) end,
    ask, ask, ask,
  }
  for round = 1, 150 do
    local threads, ends = {}, {}
    for i = 1, 8 do
      local kind = math.random(#KINDS)
      threads[i], ends[i] = ngx.thread.spawn(KINDS[kind], round .. "-" .. i), kind > 3
    end
    ngx.sleep(math.random(4) / 1000)
    for i = 1, 8 do
      if ends[i] and math.random(5) > 1 then
        ngx.thread.wait(threads[i])
      elseif ngx.thread.kill(threads[i]) then
        counts.killed = counts.killed + 1
      end
    end
  end
  return counts
]]

describe("threads that are killed", function()
  local available, reason = nginx.available()
  if not available then
    pending(reason)
    return
  end

  local one
  local crew = nginx.crew()

  setup(function()
    one = nginx.start{ locations = LOCATIONS }
  end)
  after_each(crew.stop)
  teardown(function()
    one:stop()
    server.clean()
  end)

  it("leave every other answer whole", function()
    local stuck = crew.bad{ "read",
      "send:HTTP/1.1 200 OK\\r\\nContent-Length: 100\\r\\n\\r\\npart", "hang" }
    local counts = one:lua(ROUNDS, stuck:url(), one:url("/slow"), one:url("/echo?id="))
    assert.equal(0, counts.wrong)
    assert.is_true(counts.right > 100 and counts.killed > 100)
  end)
end)
