local errors = require "sagemaker.error"
local watched = require "support.watched"

local look = watched.describe
local service, request = watched.service, watched.request
local count = watched.count
local has = watched.has
local CANARY = watched.CANARY
local V1, V2 = watched.OLD, watched.NEW
local BAKING, BACK = watched.BAKING, watched.BACK
local CREATING, CREATED = watched.CREATING, watched.CREATED

describe("deploy and eventual consistency", function()
  it("waits for a configuration that is not visible yet", function()
    for _, operation in ipairs{ "CreateEndpoint", "UpdateEndpoint" } do
      local world = service(operation == "UpdateEndpoint" and V1 or nil, { CREATED, CREATED },
        { [operation] = function(_, _, w)
          if w.time < 30 then return watched.missing_config("v2") end
          w.accepted = true
          return {}
        end })
      assert.equal("deployed", assert(world.watch:deploy(request())).outcome)
    end
  end)

  it("but for no longer than 60 s", function()
    local world = service(V1, {}, { UpdateEndpoint = { watched.missing_config("v2") } })
    local result, message = world.watch:deploy(request())
    assert.is_nil(result)
    assert.truthy(message:find("Could not find endpoint configuration", 1, true))
    assert.is_near(60, world.time, 1)
  end)

  it("and not when the endpoint's own configuration was deleted", function()
    local world = service(V1, {}, { UpdateEndpoint = { watched.missing_config("v1") } })
    local result, message, err = world.watch:deploy(request())
    assert.is_nil(result)
    assert.equal(1, count(world, "UpdateEndpoint"))
    assert.truthy(message:find("current configuration v1 was deleted", 1, true))
    assert.equal(message, tostring(err))
  end)

  it("and for no other message", function()
    local other = watched.refusal('Could not find model "arn:x".')
    local world = service(V1, {}, { UpdateEndpoint = { other } })
    local _, _, err = world.watch:deploy(request())
    assert.equal(other, err)
    assert.equal(1, count(world, "UpdateEndpoint"))
    assert.equal(0, world.time)
  end)

  it("waits for an endpoint that was accepted and is not visible yet, for up to 60 s", function()
    local function visible_after(seconds)
      return service(nil, nil, { DescribeEndpoint = function(_, _, w)
        return w.accepted and w.time >= seconds and CREATED or watched.missing
      end })
    end
    assert.equal("deployed", assert(visible_after(50).watch:deploy(request())).outcome)
    local result, message = visible_after(1e9).watch:deploy(request())
    assert.is_nil(result)
    assert.truthy(message:find("Could not find endpoint", 1, true))
  end)
end)

describe("deploy and answers that were lost", function()
  -- What an operation answers although the service accepted it.
  local function lossy(operation, before, after, answers)
    return service(before, after, { [operation] = function(_, n, world)
      world.accepted = true
      return answers[n]
    end })
  end

  it("finds out that a create was accepted", function()
    for _, answer in ipairs{
      watched.lost(), watched.existing(2),
      errors.new{ kind = "timeout", code = "ReadTimeout", message = "x", sent = true },
      watched.lost{ sent = false, attempts = 2 },
      errors.new{ kind = "protocol", code = "InvalidAnswer", message = "x", attempts = 1 },
      watched.refusal("boom", { status = 500, code = "InternalFailure", attempts = 3 }) } do
      local world = lossy("CreateEndpoint", nil, { watched.missing, CREATING, CREATED }, { answer })
      local result = assert(world.watch:deploy(request()))
      assert.equal("deployed", result.outcome)
      assert.equal("create", result.action)
      assert.equal(1, count(world, "CreateEndpoint"))
      assert.is_true(has(result.warnings, "the answer to CreateEndpoint was lost"))
    end
  end)

  it("finds out that an update was accepted", function()
    for _, answer in ipairs{ watched.lost(), watched.in_progress(2) } do
      for _, after in ipairs{ { V1, BAKING, V2 }, { BAKING, V2 }, { V2 } } do
        local world = lossy("UpdateEndpoint", V1, after, { answer })
        local result = assert(world.watch:deploy(request{ DeploymentConfig = CANARY }))
        assert.equal("deployed", result.outcome)
        assert.equal(1, count(world, "UpdateEndpoint"))
        assert.is_true(has(result.warnings, "the answer to UpdateEndpoint was lost"))
      end
      local world = lossy("UpdateEndpoint", V1, { BACK }, { answer })
      local result = assert(world.watch:deploy(request{ DeploymentConfig = CANARY }))
      assert.equal("rolled_back", result.outcome)
    end
  end)

  it("reports a loss that left no trace", function()
    local world = service(V1, {}, { UpdateEndpoint = { watched.lost() } })
    local result, message, err = world.watch:deploy(request())
    assert.is_nil(result)
    assert.equal("ConnectionReset", err.code)
    assert.equal(tostring(err), message)
    assert.is_true(world.time >= 30 and world.time < 45)
    assert.equal(1, count(world, "UpdateEndpoint"))
    world = service(nil, {}, { CreateEndpoint = { watched.lost() } })
    result, message, err = world.watch:deploy(request())
    assert.is_nil(result)
    assert.equal(tostring(err), message)
    assert.equal("ConnectionReset", err.code)
  end)

  it("says when nobody can tell", function()
    local world = service(nil, nil, { UpdateEndpoint = { watched.lost() },
      DescribeEndpoint = function(_, n) return n == 1 and V1 or watched.lost() end })
    local _, message, err = world.watch:deploy(request())
    assert.is_true(err.in_doubt)
    assert.truthy(message:find("whether it was accepted is not known", 1, true))
    assert.equal(tostring(err), message)
  end)

  it("does not take another's deployment for its own", function()
    local foreign = look{ config = "v1", status = "Updating", pending = "v9", modified = 1100 }
    local world = lossy("UpdateEndpoint", V1, { foreign }, { watched.in_progress(2) })
    local result, message, err = world.watch:deploy(request())
    assert.is_nil(result)
    assert.equal("DeploymentInProgress", err.code)
    assert.truthy(message:find("deployment of v9", 1, true))
    world = lossy("CreateEndpoint", nil, { look{ config = "v9" } }, { watched.existing(2) })
    result, message = world.watch:deploy(request())
    assert.is_nil(result)
    assert.truthy(message:find("already existing", 1, true))
  end)

  it("asks nothing more when the request surely never left", function()
    local err = watched.lost{ sent = false, attempts = 1, code = "ConnectionRefused" }
    local world = service(V1, {}, { UpdateEndpoint = { err } })
    local _, _, got = world.watch:deploy(request())
    assert.equal(err, got)
    assert.equal(1, count(world, "DescribeEndpoint"))
  end)

  it("does not take the Failed endpoint that it has deleted for the one it creates", function()
    local failed = look{ config = "v2", status = "Failed", created = 1000 }
    local world = service(nil, nil, {
      DeleteEndpoint = { {} }, CreateEndpoint = function(_, _, w)
        w.accepted = w.time
        return watched.lost()
      end,
      DescribeEndpoint = function(_, _, w)
        if w.accepted then return w.time < w.accepted + 5 and failed or CREATED end
        return w.count.DeleteEndpoint and watched.missing or failed
      end })
    local result = assert(world.watch:deploy(request{ replace_failed = true }))
    assert.equal("deployed", result.outcome)
    assert.equal(CREATED, result.endpoint)
  end)
end)
