-- The blocking transport by way of a proxy, and past it.
local curl = require "sagemaker.transport.curl"
local requests = require "support.requests"
local server = require "support.server"

local failure = requests.failure

local OK = "send:HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"

local new = curl.new

local function get(url)
  return requests.get(url, { connect = 5, read = 5 })
end

describe("a proxy of transport.curl", function()
  local crew = server.crew()
  local bad = crew.bad

  after_each(crew.stop)
  teardown(server.clean)

  it("gets the whole URL of an http request, and the environment does not matter", function()
    local one = bad{ "read", OK, "again" }
    local proxy = ("http://user:pass@127.0.0.1:%d"):format(one.port)
    local transport = new{ proxy = { http = proxy, no_proxy = "direct.invalid" } }
    assert(transport:send(get("http://service.invalid/path")))
    assert.truthy(one:output():find("GET http://service.invalid/path HTTP/1.1\r\n", 1, true))
    assert.truthy(one:output():find("Proxy-Authorization: Basic dXNlcjpwYXNz", 1, true))
    assert.equal("HostNotFound", failure(transport, get("http://direct.invalid/")).code)
  end)

  it("is sent what the caller says of Host, and no port that the scheme implies", function()
    local one = bad{ "read", OK, "again" }
    local transport = new{ proxy = ("127.0.0.1:%d"):format(one.port) }
    local request = get "http://service.invalid:80?x=y"
    assert(transport:send(request))
    request.headers = { hOST = "a.other.invalid", X = "y" }
    assert(transport:send(request))
    local lines = {}
    for line in one:output():gmatch("[^\r\n]+") do
      if line:find(" HTTP/1.1", 1, true) or line:lower():find("host:", 1, true) then
        lines[#lines + 1] = line
      end
    end
    local first = "GET http://service.invalid:80/?x=y HTTP/1.1"
    assert.same({ first, "Host: service.invalid", first, "Host: a.other.invalid" }, lines)
  end)

  it("that is not there is the proxy's fault, and its password stays secret", function()
    local transport = new{ proxy = "http://user:hush@127.0.0.1:1" }
    local err = failure(transport, get("http://service.invalid/"))
    assert.same({ "ProxyError", false, true }, { err.code, err.sent, err.retryable })
    assert.is_nil(tostring(err):find("hush", 1, true))
    assert.is_nil(tostring(transport):find("hush", 1, true))
    for _, password in ipairs{ "hu/sh", "hu sh", "hu%0ash", "hush%00" } do
      for _, url in ipairs{ "http://service.invalid/", "https://service.invalid/" } do
        local proxy = ("http://user:%s@127.0.0.1:1"):format(password)
        err = failure(new{ proxy = proxy }, get(url))
        assert.same({ "ProxyError", false }, { err.code, err.retryable })
        assert.equal("the URL of the proxy cannot be used (service.invalid)", err.message)
      end
    end
  end)

  it("that breaks off once it has the request is not told from the service", function()
    local transport = new{ proxy = bad{ "read", "next", "read", "reset", "next", "read",
      "send:HTTP/1.1 200 OK\\r\\nA: b" }:url "" }
    for _, code in ipairs{ "EmptyReply", "ConnectionReset", "TruncatedResponse" } do
      local err = failure(transport, get("http://service.invalid/"))
      assert.same({ code, true, true }, { err.code, err.sent, err.retryable })
    end
  end)

  it("is passed by for the hosts of no_proxy, and then nothing is its fault", function()
    local function check(expected, lists, url)
      for _, list in ipairs(lists) do
        local transport = new{ proxy = { http = "http://127.0.0.1:1", no_proxy = list } }
        assert.equal(expected, failure(transport, get(url)).code, list)
      end
    end
    check("ConnectionRefused", { "127.0.0.1:2", "x, 127.0.0.1 ", "*" }, "http://127.0.0.1:2/")
    check("ProxyError", { "127.0.0.1:3", "27.0.0.1", " , .", "x,*" }, "http://127.0.0.1:2/")
    local transport = new{ proxy = { http = "http://127.0.0.1:1", no_proxy = "[::1]" } }
    assert.not_equal("ProxyError", failure(transport, get("http://[::1]:2/")).code)
    check("HostNotFound", { ".B.invalid", "b.invalid:8" }, "http://a.B.invalid:8/")
  end)

  it("that refuses CONNECT is the proxy's fault", function()
    local function refusal(status)
      local one = bad{ "read",
        "send:HTTP/1.1 " .. status .. "\\r\\nContent-Length: 0\\r\\n\\r\\n" }
      local proxy = ("http://127.0.0.1:%d"):format(one.port)
      local request = get("https://service.invalid/")
      request.headers = { Authorization = "AWS4 secret" }
      local err = failure(new{ proxy = proxy }, request)
      assert.is_nil(one:output():find("secret", 1, true))
      return { err.code, err.sent, err.retryable, err.message:match("CONNECT with %d+") }
    end
    assert.same({ "ProxyError", false, false, "CONNECT with 407" }, refusal("407 Who?"))
    assert.same({ "ProxyError", false, true, "CONNECT with 503" }, refusal("503 Later"))
  end)
end)
