local proxy = require "sagemaker.transport.proxy"

describe("transport.proxy", function()
  local function check(expected, list, hosts)
    for _, host in ipairs(hosts) do
      local url = ("https://%s/path"):format(host)
      assert.equal(expected, proxy.is_direct(list, url), list .. " " .. host)
    end
  end

  it("knows the hosts of no_proxy and those below them", function()
    check(true, "*", { "a.b", "127.0.0.1" })
    check(true, "x, .B.example ,y", { "a.b.example", "b.example", "B.EXAMPLE:8443" })
    check(true, "b.example:8", { "b.example:8", "a.b.example:8" })
    check(false, "b.example:8", { "b.example:9", "b.example" })
    check(false, "b.example", { "ab.example", "b.example.com", "example" })
    check(true, "[::1],127.0.0.1", { "[::1]", "[::1]:80", "127.0.0.1:80" })
    check(false, " , .", { "a.b", "127.0.0.1" })
    assert.is_false(proxy.is_direct(nil, "http://a/"))
  end)

  it("knows the networks of no_proxy", function()
    check(true, "10.0.0.0/8", { "10.1.2.3", "10.255.255.255:80" })
    check(false, "10.0.0.0/8", { "11.0.0.0", "a.10.0.0.0", "[::a]", "10.0.0" })
    check(true, "192.168.4.0/22", { "192.168.7.255" })
    check(false, "192.168.4.0/22", { "192.168.8.0", "192.168.3.255" })
    check(true, "0.0.0.0/0", { "1.2.3.4" })
    check(true, "2001:db8::/33", { "[2001:db8:7fff::1]", "[2001:DB8::]:443" })
    check(false, "2001:db8::/33", { "[2001:db8:8000::1]", "1.2.3.4" })
    check(false, "10.0.0.0/33,10.0.0.0/,a/8,::/129,1::2::3/8", { "10.0.0.0", "[::1]" })
  end)

  it("takes a proxy's URL apart and keeps its password to itself", function()
    assert.same({ scheme = "http", host = "p.example", port = 3128, user = "me:p@ss/word" },
      proxy.parse("http://me:p%40ss%2Fword@p.example:3128/"))
    assert.same({ scheme = "https", host = "[::1]", port = 443 }, proxy.parse("https://[::1]"))
    assert.same({ scheme = "http", host = "p", port = 80 }, proxy.parse("p"))
    for _, url in ipairs{ "socks5h://p:1", "http://", "http://u:hu/sh@p:1", "http://p:0",
      "http://p:99999", "http://p/path", "http://u:hush@p q:1" } do
      local parts, message = proxy.parse(url)
      assert.is_nil(parts, url)
      assert.is_nil(message:find("sh", 1, true))
    end
  end)
end)
