-- The command as a process: exit codes, pipes that close, signals, streams that cannot be written.
-- All of it twice: the script for an interpreter, and the program that CMake installs.

local read = require("support").read
local server = require "support.server"

local LUA = os.getenv("SAGEMAKER_LUA") or "lua5.4"
local BUILD = os.getenv("SAGEMAKER_BUILD") or "build/lua5.4"

-- A script that runs the command, with an environment of its own; it writes its process id down.
local SCRIPT = [[
#!/bin/sh
echo $$ >%s/pid
export AWS_ACCESS_KEY_ID=${KEY-AKIDEXAMPLE} AWS_SECRET_ACCESS_KEY=${KEY-example-key}
export AWS_REGION=${REGION-eu-west-1} AWS_EC2_METADATA_DISABLED=true AWS_MAX_ATTEMPTS=1
unset AWS_DEFAULT_REGION AWS_PROFILE
export HOME=/nowhere
%s
]]

local PRELOAD = ("LD_PRELOAD='%s' "):format(os.getenv "LD_PRELOAD" or "")

-- How the command is run; the program is installed into a folder first.
local FORMS = {
  ["a script"] = function()
    return ("export LUA_PATH='lua/?.lua;lua/?/init.lua;;' LUA_CPATH='%s/?.so;;'\n"):format(BUILD)
      .. PRELOAD .. "exec " .. LUA .. ' lua/sagemaker/cli/main.lua "$@"'
  end,
  ["a program"] = function(dir)
    local output, ok = server.shell(PRELOAD .. ("cmake --install %s --prefix %s/installed"):format(
      BUILD, dir))
    assert(ok, output)
    return ("unset LUA_PATH LUA_CPATH\n%sexec %s/installed/bin/sagemaker \"$@\""):format(PRELOAD,
      dir)
  end,
}

for form, how in pairs(FORMS) do
  describe("the command as " .. form, function()
    local dir

    setup(function()
      dir = server.folder()
      local file = assert(io.open(dir .. "/sagemaker", "w"))
      file:write(SCRIPT:format(dir, how(dir)))
      file:close()
    end)

    teardown(function() server.shell("rm -rf " .. dir) end)

    -- Runs a line of shell in which $s is the command; answers what it printed and its exit code.
    local function shell(line)
      local output = server.shell(("s='sh %s/sagemaker'; %s\necho \" code=$?\""):format(dir, line))
      local text, code = output:match("^(.*) code=(%d+)\n$")
      return text, tonumber(code)
    end

    local function run(arguments)
      return shell("$s " .. arguments)
    end

    describe("the process", function()
      it("ends with 0, and with 252 for a wrong command line", function()
        local out, code = run "delete-endpoint --generate-cli-skeleton"
        assert.equal('{\n    "EndpointName": "EndpointName"\n}\n', out)
        assert.equal(0, code)
        out, code = run "describe-endpoint"
        assert.truthy(out:find("needs --endpoint-name", 1, true))
        assert.equal(252, code)
      end)

      it("ends with 253 without a region or credentials", function()
        local out, code = shell "REGION= $s list-endpoints"
        assert.truthy(out:find("You must specify a region", 1, true), out)
        assert.equal(253, code)
        out, code = shell "KEY= $s list-endpoints"
        assert.truthy(out:find("Unable to locate credentials", 1, true), out)
        assert.equal(253, code)
      end)

      it("ends with 255 where nobody answers", function()
        local out, code = run "list-endpoints --endpoint-url http://127.0.0.1:1"
        assert.truthy(out:find("127.0.0.1", 1, true), out)
        assert.equal(255, code)
      end)

      it("says that a full disk takes no output", function()
        local out, code = run "create-endpoint-config --generate-cli-skeleton >/dev/full"
        assert.truthy(out:find("cannot write the output", 1, true), out)
        assert.equal(255, code)
      end)

      it("says that a closed stdout takes no output, and writes it nowhere else", function()
        local out, code = run "create-endpoint-config --generate-cli-skeleton >&-"
        assert.truthy(out:find("cannot write the output", 1, true), out)
        assert.equal(255, code)
      end)

      it("ends without a word when nobody reads on", function()
        local out = shell "$s create-training-job --generate-cli-skeleton | head -n 1"
        assert.equal("{\n", out)
        out = shell "{ $s create-training-job --generate-cli-skeleton; echo $? >&2; } | true"
        -- Killed by SIGPIPE, or quicker than that.
        assert.truthy(out == "141\n" or out == "0\n", out)
      end)
    end)

    describe("a call of the process", function()
      local nginx

      setup(function()
        local ok, reason = server.available()
        if not ok then return pending(reason) end
        nginx = server.nginx { locations = [[
          location / {
            default_type application/x-amz-json-1.1;
            content_by_lua_block {
              ngx.req.read_body()
              local target = ngx.var.http_x_amz_target
              if target == "SageMaker.DescribeEndpoint" then
                ngx.shared.state:incr("describes", 1, 0)
                ngx.sleep(20)
              elseif target == "SageMaker.DeleteEndpoint" then
                ngx.shared.state:set("body", ngx.req.get_body_data())
                return ngx.exit(200)
              end
              ngx.print('{"Endpoints":[],"seen":', ngx.shared.state:get("describes") or 0, '}')
            }
          }
          location /seen {
            content_by_lua_block { ngx.say(ngx.shared.state:get("describes") or 0) }
          }
          location /body {
            content_by_lua_block { ngx.say(ngx.shared.state:get("body") or "") }
          }
        ]] }
      end)

      teardown(function()
        if nginx then nginx:stop() end
        server.clean()
      end)

      it("prints nothing for an answer without members, and ends with 0", function()
        if not nginx then return pending("no server") end
        local out, code = run("delete-endpoint --endpoint-name x --endpoint-url " .. nginx:url "/")
        assert.equal("", out)
        assert.equal(0, code)
      end)

      it("sends nothing of its output to the service when stdout is closed", function()
        if not nginx then return pending("no server") end
        local out, code = run("list-endpoints --endpoint-url " .. nginx:url "/" .. " >&-")
        assert.truthy(out:find("cannot write the output", 1, true), out)
        assert.equal(255, code)
        assert.truthy(not nginx:log():find("client sent invalid", 1, true))
      end)

      -- What a command prints that gets the signal while it waits for its answer, and its code.
      local function signalled(name, arguments)
        local function seen() return tonumber((server.shell("curl -s " .. nginx:url "/seen"))) end
        local before = seen()
        local spawned = server.spawn(("sh -c 'sh %s/sagemaker %s --endpoint-url %s; "
          .. "echo code=$?'"):format(dir, arguments, nginx:url "/"), dir .. "/output")
        assert(server.wait_for(10, function() return seen() > before end), "no request was sent")
        server.shell(("kill -%s %s"):format(name, read(dir .. "/pid")))
        assert(server.wait_for(10, function() return not server.alive(spawned) end), "it goes on")
        return read(dir .. "/output")
      end

      it("ends with 130 on Ctrl-C, at once", function()
        if not nginx then return pending("no server") end
        local output = signalled("INT", "describe-endpoint --endpoint-name x")
        assert.truthy(output:find("code=130\n", 1, true), output)
      end)

      it("ends with 143 on SIGTERM, and watchers say what goes on", function()
        if not nginx then return pending("no server") end
        local output = signalled("TERM", "describe-endpoint --endpoint-name x")
        assert.truthy(output:find("code=143\n", 1, true), output)
        output = signalled("TERM", "watch x")
        assert.equal("Interrupted before anything was seen. To follow it: sagemaker watch x\n"
          .. "code=143\n", output)
        output = signalled("TERM", "deploy --endpoint-name x --endpoint-config-name y")
        assert.equal("Interrupted. Nothing was changed.\ncode=143\n", output)
        output = signalled("TERM", "wait endpoint-in-service --endpoint-name x")
        assert.equal("Interrupted: what was waited for goes on. The same command waits on.\n"
          .. "code=143\n", output)
      end)
    end)
  end)
end
