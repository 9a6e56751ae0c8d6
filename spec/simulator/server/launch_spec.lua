local server = require "support.server"
local simulate = require "support.simulate"

describe("the simulator as a server", function()
  local ok, reason = simulate.available()
  if not ok then
    pending("starts nginx: " .. reason)
    return
  end

  local running

  local function start(opts, dir)
    local message
    running, message = simulate.start(opts, dir)
    return running, message
  end

  after_each(function()
    if running then running:stop() end
    running = nil
  end)

  local function lines_of(command)
    return (server.shell(command):gsub("%s+$", ""))
  end

  it("says how to reach it, answers, and leaves nothing when it ends", function()
    for _, signal in ipairs { "TERM", "INT" } do
      local dir = server.folder()
      assert(start({ clock = "virtual" }, dir))
      assert.matches("export AWS_ENDPOINT_URL=http://127%.0%.0%.1:%d+\n", running:output())
      local status, state = running:get("/_simulator/state")
      assert.equal(200, status)
      assert.equal(1768478400, state.now)
      assert.equal("600 700", lines_of(("stat -c %%a %s/sagemaker-*/nginx.conf | tr '\\n' ' '; "
        .. "stat -c %%a %s/sagemaker-*"):format(dir, dir)))
      assert.is_true(running:stop(signal))
      assert.is_false(server.alive(state.process))
      assert.equal("output\nrun.lua", lines_of("ls " .. dir))
      assert.matches("Ctrl%-C ends it%.\n$", running:output())
      server.shell("rm -rf " .. dir)
      running = nil
    end
  end)

  it("has nothing to do with the folder that it is started in", function()
    local dir = server.folder()
    assert(start(nil, dir))
    local _, state = running:get("/_simulator/state")
    assert.matches("/sagemaker%-%w+$", lines_of(("readlink /proc/%d/cwd"):format(state.process)))
    running:stop()
    running = nil
    server.shell("rm -rf " .. dir)
  end)

  it("ends with its launcher, however that ends, and leaves no file", function()
    local dir = server.folder()
    finally(function() server.remove(dir) end)
    assert(start(nil, dir))
    local _, state = running:get("/_simulator/state")
    assert.equal("nginx.conf\nnginx.pid",
      lines_of(("cd %s/sagemaker-*; ls -p | grep -v /"):format(dir)))
    server.shell(("kill -9 %d"):format(server.shell(("pgrep -P %d"):format(running.pid))))
    assert.is_true(server.wait_for(5, function() return not server.alive(state.process) end))
    assert.equal("", lines_of(("ls %s/sagemaker-*"):format(dir)))
  end)

  it("says what is wrong with its options", function()
    local function message(opts)
      local started, said = start(opts)
      assert.is_nil(started)
      return said
    end
    assert.matches("^simulate: there is no /nowhere/nginx\n",
      message { nginx = "/nowhere/nginx" })
    assert.matches("^simulate: %S*/true is no nginx", message { nginx = "true" })
    assert.matches("^simulate: simulator%.new has no option sped %(did you mean seed%?%)",
      message { sped = 2 })
    assert.matches("^simulate: credentials must be KEY:SECRET", message { credentials = "key" })
    assert.matches("^simulate: speed must be a number above 0", message { speed = 0 })
    assert.matches("^simulate: step needs clock", message { step = 1 })
    assert.matches("^simulate: tls must be CERT:KEY", message { tls = "x" })
    assert.matches("^simulate: tls: nowhere%.pem: No such file", message { tls = "nowhere.pem:k" })
    for _, port in ipairs { 70000, -1, 0.5, "http", 1e20 } do
      assert.matches("^simulate: port must be a whole number from 0 to 65535, not ",
        message { port = port })
    end
    assert.matches('^simulate: host must be an address or a name, not ""', message { host = "" })
    assert.matches("^simulate: 203%.0%.113%.1 port 4580: [^;]+$",
      message { host = "203.0.113.1", port = 4580 })
    assert.matches("^simulate: log: /nowhere/log: No such file", message { log = "/nowhere/log" })
    assert.matches("^simulate: state: /nowhere/s%.new: No such file",
      message { state = "/nowhere/s" })
    assert.matches("^simulate: throttle: unknown name Describe",
      message { throttle = { "Describe" } })
  end)

  it("says that a port is taken", function()
    local first = assert(simulate.start())
    local started, message = start { port = first.port }
    first:stop()
    assert.is_nil(started)
    assert.matches("^simulate: 127%.0%.0%.1 port %d+: Address already in use; "
      .. "port 0 picks a free one\n$", message)
  end)

  it("leaves nothing when it is told to end before nginx is there", function()
    local core = require "sagemaker.core"
    local dir = server.folder()
    finally(function() server.remove(dir) end)
    local nginx, seen = dir .. "/nginx", nil
    local file = assert(io.open(nginx, "wb"))
    file:write("#!/bin/sh\n[ \"$1\" = -V ] && echo nginx version: --add-module=ngx_lua && exit 0\n"
      .. "while :; do sleep 0.01; done\n")
    file:close()
    server.shell("chmod +x " .. nginx .. "; mkdir " .. dir .. "/tmp")
    local status = require("sagemaker.simulator.server.launch").run({ nginx = nginx, port = 0 }, {
      getenv = function(name) return name == "TMPDIR" and dir .. "/tmp" or os.getenv(name) end,
      replace = function(path, text)
        seen = path
        server.shell "kill -TERM $PPID"
        return core.replace(path, text, ".new")
      end,
    })
    assert.equal(128 + 15, status)
    assert.matches("/nginx%.conf$", seen)
    assert.equal("", (server.shell("ls " .. dir .. "/tmp")))
  end)

  it("serves TLS", function()
    local certificates = server.certificates()
    finally(function() certificates.remove() end)
    assert(start { tls = ("%s/good.pem:%s/good.key"):format(certificates.dir, certificates.dir) })
    assert.matches("^https://127%.0%.0%.1:", running.url)
    assert.matches("export AWS_CA_BUNDLE=.*/good%.pem\n", running:output())
    local said = server.shell(("curl -sS --cacert %s/ca.pem %s/_simulator/state"):format(
      certificates.dir, running.url))
    assert.matches('"account_id":"123456789012"', said)
  end)

  it("logs requests without what is secret in them", function()
    local dir = server.folder()
    assert(start({ log = dir .. "/log" }, dir))
    running:get("/x?X-Amz-Signature=abcdef&X-Amz-Security-Token=xyz")
    running:get("/_simulator/knobs")
    local log
    server.wait_for(5, function() -- a line is written when its answer has been sent
      log = server.shell("cat " .. dir .. "/log")
      return log:find("knobs", 1, true)
    end)
    assert.matches("127%.0%.0%.1 GET /x 403 %- IncompleteSignatureException", log)
    assert.matches("GET /_simulator/knobs 200 %- %-", log)
    assert.is_nil(log:find("abcdef", 1, true) or log:find("xyz", 1, true))
    running:stop()
    running = nil
    server.shell("rm -rf " .. dir)
  end)

  it("loses answers as it is told", function()
    assert(start { clock = "virtual", verify = false })
    local function curl()
      local said = server.shell(("curl -sS -o /dev/null -X POST -d '{}' -w '%%{time_total}' "
        .. "-H 'X-Amz-Target: SageMaker.ListModels' %s/; echo \" $?\""):format(running.url))
      return said:match(" (%d+)%s*$"), tonumber(said:match("([%d.]+) %d+%s*$"))
    end
    for knob, code in pairs { drop = "52", reset = "56", truncate = "18", unreachable = "52" } do
      assert.equal(200, (running:post("/_simulator/knobs", { [knob] = 1 })))
      assert.equal(code, curl(), knob)
      assert.equal("0", curl())
    end
    running:post("/_simulator/knobs", { latency = { ListModels = 0.2 } })
    local code, seconds = curl()
    assert.equal("0", code)
    assert.is_true(seconds >= 0.2)
    local _, state = running:get "/_simulator/state"
    assert.equal(8, #state.requests) -- the one that was unreachable never came
  end)

  it("can be mounted in an nginx of one's own with one line", function()
    local function nginx(http)
      return server.nginx {
        http = ("lua_package_path '%s'; lua_package_cpath '%s';"):format(package.path,
          package.cpath) .. (http or ""),
        locations = [[location / { content_by_lua_block {
          require("sagemaker.simulator.server").content { clock = "virtual", verify = false }
        } }]],
      }
    end
    local own = nginx()
    finally(function() own:stop() end)
    local said = server.shell("curl -sS " .. own:url "/_simulator/state")
    assert.matches('"kind":"virtual"', said)
    said = server.shell("curl -sS -X POST -H 'X-Amz-Target: SageMaker.ListModels' -d '{}' "
      .. own:url "/")
    assert.equal('{"Models":[]}', said)
    assert.is_nil(own:log():find("[error]", 1, true), own:log())
  end)

  it("calls containers that are URLs, and asks them how they are", function()
    local container = server.nginx { locations = [[
      location = /ping { content_by_lua_block {
        ngx.exit(ngx.shared.state:get "sick" and 500 or 200)
      } }
      location = /sick { content_by_lua_block { ngx.shared.state:set("sick", true) } }
      location = /invocations { content_by_lua_block {
        ngx.req.read_body()
        ngx.say("model got ", ngx.req.get_body_data())
      } }
    ]] }
    finally(function() container:stop() end)
    assert(start { clock = "virtual", verify = false })
    local function call(operation, input)
      local status, data = running:post("/_simulator/call/" .. operation, input)
      assert.equal(200, status, require("cjson").encode(data))
      return data
    end
    call("CreateModel", { ModelName = "m", ExecutionRoleArn = "arn:aws:iam::123456789012:role/x",
      PrimaryContainer = { Image = "x",
        Environment = { SAGEMAKER_SIMULATOR_URL = container:url "" } } })
    for _, name in ipairs { "v1", "v2" } do
      call("CreateEndpointConfig", { EndpointConfigName = name, ProductionVariants = { {
        VariantName = "v", ModelName = "m", InstanceType = "ml.m5.large",
        InitialInstanceCount = 1 } } })
    end
    call("CreateEndpoint", { EndpointName = "e", EndpointConfigName = "v1" })
    local function status()
      return call("DescribeEndpoint", { EndpointName = "e" }).EndpointStatus
    end
    local function becomes(wanted)
      return server.wait_for(15, function()
        running:post("/_simulator/advance", { seconds = 20 })
        return status() == wanted
      end)
    end
    local function asked(healthy)
      return server.wait_for(10, function()
        return select(2, running:get "/_simulator/state").models[1].healthy == healthy
      end)
    end
    running:post("/_simulator/advance", { seconds = 3000 })
    assert.equal("InService", status())
    assert.is_true(asked(true))
    assert.equal("model got 1,2\n", (server.shell(("curl -sS -d 1,2 "
      .. "%s/endpoints/e/invocations"):format(running.url))))
    server.shell("curl -sS " .. container:url "/sick")
    assert.is_true(asked(false))
    call("UpdateEndpoint", { EndpointName = "e", EndpointConfigName = "v2" })
    assert.is_true(becomes "RollingBack")
    assert.is_true(becomes "InService")
    assert.matches("ping health check", call("DescribeEndpoint", { EndpointName = "e" })
      .FailureReason)
  end)

  describe("given bad input", function()
    before_each(function() assert(start { clock = "virtual" }) end)

    -- Bytes to the server, and what comes back until it closes or a second has passed.
    local function raw(bytes)
      local path = running.dir .. "/raw"
      local file = assert(io.open(path, "wb"))
      file:write(bytes)
      file:close()
      return (server.shell(("exec 3<>/dev/tcp/127.0.0.1/%d; cat %s >&3; timeout 1 cat <&3")
        :gsub("^(.*)$", "bash -c '%0'"):format(running.port, path)))
    end

    it("answers as AWS does and stays up", function()
      local cases = {
        { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 403, "MissingAuthenticationTokenException" },
        { "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 403, "MissingAuthenticationTokenException" },
        { "GET /_sagemaker_refused HTTP/1.1\r\nHost: x\r\n\r\n", 404,
          "UnknownOperationException" },
        { "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: x\r\nContent-Length: 2\r\n\r\n{}", 403,
          "IncompleteSignatureException" },
        { "POST /%zz%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "BadRequestException" },
        { "POST / HTTP/1.1\r\n\r\n", 400, "BadRequestException" },
        { "nonsense\r\n\r\n", 400, "BadRequestException" },
        { "\22\3\1\0\200\1\0\0\196\3\3 a TLS hello \r\n\r\n", 400, "BadRequestException" },
        { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n", 413,
          "RequestEntityTooLargeException" },
        { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400,
          "BadRequestException" },
        { "GET /" .. ("x"):rep(40000) .. " HTTP/1.1\r\nHost: x\r\n\r\n", 414,
          "RequestEntityTooLargeException" },
        { "GET / HTTP/1.1\r\nHost: x\r\nX: " .. ("x"):rep(40000) .. "\r\n\r\n", 431,
          "RequestEntityTooLargeException" },
        { "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: a\r\nX-Amz-Target: b\r\n"
          .. "Content-Length: 0\r\n\r\n", 403, "MissingAuthenticationTokenException" },
        { "POST / HTTP/1.1\r\nHost: x\r\nX-\200: \255\r\n\r\n", 403,
          "MissingAuthenticationTokenException" },
        { "POST / HTTP/1.1\r\nHost: x\r\n: x\r\n\r\n", 400, "BadRequestException" },
      }
      for _, case in ipairs(cases) do
        local said = raw(case[1])
        assert.matches("^HTTP/1%.1 " .. case[2], said, nil, case[1]:sub(1, 60))
        assert.matches('{"__type":"' .. case[3] .. '"', said)
      end
      assert.equal(200, (running:get("/_simulator/state")))
      assert.is_nil(running:output():find("%[error%].*lua"))
    end)

    it("takes large bodies without a word on the terminal", function()
      local bytes = 4 * 1024 * 1024
      local said = raw(("POST /endpoints/e/invocations HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        .. "Content-Length: %d\r\n\r\n"):format(bytes) .. ("x"):rep(bytes))
      assert.matches("^HTTP/1%.1 403", said)
      assert.is_nil(running:output():find("[warn]", 1, true), running:output())
    end)

    it("answers others while slow clients take their time", function()
      local held = {}
      for i, bytes in ipairs {
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", "POST / HTTP/1.1\r\nHos", "",
      } do
        local path = ("%s/slow-%d"):format(running.dir, i)
        local file = assert(io.open(path, "wb"))
        file:write(bytes)
        file:close()
        held[i] = server.spawn(("bash -c 'exec 3<>/dev/tcp/127.0.0.1/%d; cat %s >&3; cat <&3'")
          :format(running.port, path), path .. "-said")
      end
      for _ = 1, 20 do assert.equal(200, (running:get("/_simulator/knobs"))) end
      for _, pid in ipairs(held) do
        assert.is_true(server.alive(pid))
        server.shell(("kill %d"):format(pid))
      end
      assert.equal(200, (running:get("/_simulator/knobs")))
    end)

    it("refuses signatures of another time, and those whose request was changed", function()
      local core = require "sagemaker.core"
      local function said(age, change)
        local request = assert(core.encode(core.service "sagemaker", "ListModels", {}, false))
        request.headers.Host = "127.0.0.1:" .. running.port
        core.signer { access_key_id = "test", secret_access_key = "test", region = "us-east-1",
          service = "sagemaker" }:sign(request, core.now() - age)
        if change then change(request) end
        local lines = { "POST / HTTP/1.1", "Connection: close", "Content-Length: "
          .. #request.body }
        for name, value in pairs(request.headers) do lines[#lines + 1] = name .. ": " .. value end
        return raw(table.concat(lines, "\r\n") .. "\r\n\r\n" .. request.body)
      end
      assert.matches("^HTTP/1%.1 200", said(0))
      assert.matches("^HTTP/1%.1 200", said(290))
      assert.matches("InvalidSignatureException.*is now earlier than", said(310))
      assert.matches("InvalidSignatureException.*is still later than", said(-310))
      assert.matches("InvalidSignatureException", said(0, function(request)
        request.body = '{"MaxResults":1}'
      end))
      assert.matches("InvalidSignatureException", said(0, function(request)
        request.headers["X-Amz-Target"] = "SageMaker.ListEndpoints"
      end))
    end)

    it("keeps the control API for this machine and its own pages", function()
      local function with(header, path)
        return raw(("GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"):format(path or
          "/_simulator/state", header)):match("^HTTP/1%.1 (%d+)")
      end
      assert.equal("200", with "127.0.0.1")
      assert.equal("200", with "localhost:4580")
      assert.equal("403", with "evil.example")
      assert.equal("403", with "localhost\r\nOrigin: http://evil.example")
      assert.equal("200", with "localhost:1\r\nOrigin: http://localhost:1")
      assert.equal("404", with("localhost", "/_simulator/nothing"))
    end)
  end)
end)
