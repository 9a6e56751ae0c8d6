local endpoint = require "sagemaker.endpoint"

local SERVICE = { id = "SageMaker", signing_name = "sagemaker" }

local function refuse(options)
  local resolved, message, err = endpoint.resolve(SERVICE, options)
  assert.is_nil(resolved)
  assert.equal("config", err.kind)
  assert.equal(tostring(err), message)
  return err
end

describe("sagemaker.endpoint", function()
  it("finds the host of a region", function()
    local resolved = assert(endpoint.resolve(SERVICE, { region = "eu-west-1" }))
    assert.same({
      scheme = "https",
      host = "api.sagemaker.eu-west-1.amazonaws.com",
      path = "",
      origin = "https://api.sagemaker.eu-west-1.amazonaws.com",
      signing_region = "eu-west-1",
      signing_name = "sagemaker",
    }, resolved)
  end)

  it("knows every partition, and new regions by their pattern", function()
    for region, host in pairs {
      ["cn-north-1"] = "api.sagemaker.cn-north-1.amazonaws.com.cn",
      ["cn-new-9"] = "api.sagemaker.cn-new-9.amazonaws.com.cn",
      ["us-gov-west-1"] = "api.sagemaker.us-gov-west-1.amazonaws.com",
      ["us-iso-east-1"] = "api.sagemaker.us-iso-east-1.c2s.ic.gov",
      ["us-isob-east-1"] = "api.sagemaker.us-isob-east-1.sc2s.sgov.gov",
      ["eu-isoe-west-1"] = "api.sagemaker.eu-isoe-west-1.cloud.adc-e.uk",
      ["us-isof-south-1"] = "api.sagemaker.us-isof-south-1.csp.hci.ic.gov",
      ["eusc-de-east-1"] = "api.sagemaker.eusc-de-east-1.amazonaws.eu",
      ["ap-future-7"] = "api.sagemaker.ap-future-7.amazonaws.com",
      ["mars"] = "api.sagemaker.mars.amazonaws.com",
    } do
      assert.equal(host, endpoint.resolve(SERVICE, { region = region }).host)
    end
  end)

  it("takes a URL with port and path prefix", function()
    for url, parts in pairs {
      ["http://localhost:8080"] = { "localhost:8080", "http://localhost:8080/", "/a/b" },
      ["https://h.example/x"] = { "h.example", "https://h.example/x", "/x/a/b" },
      ["https://h.example/x/"] = { "h.example", "https://h.example/x/", "/x/a/b" },
      ["https://h.example/"] = { "h.example", "https://h.example/", "/a/b" },
      ["HTTPS://h.example:443"] = { "h.example", "https://h.example:443/", "/a/b" },
      ["http://127.0.0.1:80/p"] = { "127.0.0.1", "http://127.0.0.1:80/p", "/p/a/b" },
      ["http://[::1]:9000"] = { "[::1]:9000", "http://[::1]:9000/", "/a/b" },
    } do
      local resolved = assert(endpoint.resolve(SERVICE, { region = "x", endpoint_url = url }))
      assert.equal(parts[1], resolved.host)
      assert.equal(parts[2], resolved.origin .. endpoint.join(resolved, "/"))
      assert.equal(parts[3], endpoint.join(resolved, "/a/b"))
      assert.equal("x", resolved.signing_region)
    end
  end)

  it("refuses what is not such a URL", function()
    for _, url in ipairs { "not a url", "ftp://h", "https://", "https:///x", "https://h:99999",
      "https://h:", "https://h:0", "https://h?x=1", "https://h/#f", "https://a b", "//h",
      "https://h/a b", "https://h\nX", "https://u@h", "h.example" } do
      assert.equal("InvalidEndpoint", refuse({ region = "x", endpoint_url = url }).code)
    end
  end)

  it("shows no password of a refused URL", function()
    local err = refuse({ region = "x", endpoint_url = "https://user:hunter2@host/" })
    assert.is_nil(err.message:find("hunter2", 1, true))
    err = refuse({ region = "x", endpoint_url = "https://user:hunter2@host?q" })
    assert.is_nil(err.message:find("hunter2", 1, true))
    for _, url in ipairs { "https://user:hunter2/x@host", "user:hunter2@host", "hunter2@host",
      "https://user:hunter2#x@host/", "https://user:hunter2\n@host/a@b" } do
      err = refuse({ region = "x", endpoint_url = url })
      assert.is_nil(tostring(err):find("hunter", 1, true), url)
    end
  end)

  it("refuses FIPS or dual stack together with a URL, and no region", function()
    assert.matches("FIPS and custom endpoint",
      refuse({ endpoint_url = "https://h", use_fips = true }).message)
    assert.matches("Dualstack and custom endpoint",
      refuse({ endpoint_url = "https://h", use_dualstack = true }).message)
    assert.equal("NoRegion", refuse({}).code)
  end)
end)
