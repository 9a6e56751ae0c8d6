local http1 = require "sagemaker.transport.http1"

-- A source that hands out these pieces, and then "closed".
local function source_of(pieces, reason)
  local n = 0
  return { at = 1, buffer = "", fill = function(self)
    n = n + 1
    if not pieces[n] then return nil, reason or "closed" end
    self.buffer, self.at = pieces[n], 1
    return true
  end }
end

local LIMIT = 4096

-- What comes of an answer: status, headers, body, keep, rest; or nil, code, text.
local function read(pieces, method, max)
  local source = source_of(type(pieces) == "string" and { pieces } or pieces)
  local head, code, text = http1.head(source, method or "GET", LIMIT)
  if not head then return nil, code, text, source.received end
  local body
  body, code, text = http1.read_all(source, head, max or 1e6)
  if not body then return nil, code, text, source.received end
  return { status = head.status, headers = head.headers, body = body, keep = head.keep,
    rest = http1.has_rest(source) }
end

local CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

describe("transport.http1", function()
  describe("request", function()
    it("is written line by line, with Host and Content-Length", function()
      assert.equal("GET /a HTTP/1.1\r\nHost: h:1\r\n\r\n",
        http1.request("GET", "/a", "h:1", {}, 0))
      assert.equal("POST /?a HTTP/1.1\r\nHost: h\r\nX-a: 1\r\nContent-Length: 3\r\n\r\n",
        http1.request("POST", "?a", "h", { ["X-a"] = 1 }, 3))
      assert.equal("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nP: q\r\n\r\n",
        http1.request("PUT", "/", "h", {}, 0, "P: q\r\n"))
      for _, host in ipairs{ "mine", "a.longer.one:8080", "" } do
        assert.equal(("GET / HTTP/1.1\r\nHost: %s\r\nB: c\r\n\r\n"):format(host),
          http1.request("GET", "/", "host", { hOST = host, B = "c" }, 0))
      end
      local long = ("x"):rep(10000)
      assert.equal("GET / HTTP/1.1\r\nHost: h\r\nA: " .. long .. "\r\n\r\n",
        http1.request("GET", "/", "h", { A = long }, 0))
      assert.equal("the headers are too large",
        select(2, http1.request("GET", "/", "h", { A = long:rep(30) }, 0)))
    end)

    it("tells that it is the last on its connection", function()
      for value, is_last in pairs{ close = true, CLOSE = true, ["keep-alive"] = false } do
        local head, last = http1.request("GET", "/", "h", { Connection = value }, 0)
        assert.is_string(head)
        assert.equal(is_last, last)
      end
    end)

    it("cannot be split by what stands in it", function()
      for _, headers in ipairs{ { ["A\r\nB"] = "c" }, { A = "b\nc" }, { A = "b\r" }, { A = "\0" },
        { ["A "] = "b" }, { [""] = "b" }, { ["A:"] = "b" }, { ["Transfer-Encoding"] = "chunked" },
        { ["content-length"] = "4" }, { ["Content-Length"] = "3, 3" }, { ["\195\132"] = "b" },
        { Host = "b\r\nA: b" }, { host = "b\0" } } do
        local head, problem = http1.request("POST", "/", "h", headers, 3)
        assert.is_nil(head)
        assert.is_string(problem)
      end
      assert.is_nil((http1.request("GET / HTTP/1.1\r\nA: b\r\n", "/", "h", {}, 0)))
      assert.has_error(function() http1.request("GET", "/", "h", { A = {} }, 0) end)
      assert.has_error(function() http1.request("GET", "/", "h", { "A" }, 0) end)
      assert.truthy(http1.request("POST", "/", "h", { ["content-length"] = "3" }, 3))
    end)
  end)

  describe("answer", function()
    local ANSWERS = {
      { "HTTP/1.1 200 OK\r\nX-One: 1\r\nx-one:  2 \t\r\nFold: a\r\n \tb\r\nEmpty:\r\n" ..
        "Content-Length: 5\r\n\r\nhello",
        { status = 200, body = "hello", keep = true, rest = false, headers = {
          ["X-One"] = "1, 2", Fold = "a b", Empty = "", ["Content-Length"] = "5" } } },
      { "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" ..
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n" ..
        "3\r\nabc\r\n0a ; x=y\r\n0123456789\r\n0\r\nX-Trailer: t\r\n\r\n",
        { status = 200, body = "abc0123456789", keep = true, rest = false,
          headers = { ["Transfer-Encoding"] = "Chunked" } } },
      { "HTTP/1.0 200\nA: b\n\nuntil the end",
        { status = 200, body = "until the end", keep = false, rest = false,
          headers = { A = "b" } } },
      { "HTTP/1.1 204 None\r\nConnection: Close\r\n\r\n",
        { status = 204, body = "", keep = false, rest = false,
          headers = { Connection = "Close" } } },
      { "HTTP/1.0 304 Same\r\nConnection: Keep-Alive\r\nContent-Length: 9\r\n\r\n",
        { status = 304, body = "", keep = true, rest = false,
          headers = { Connection = "Keep-Alive", ["Content-Length"] = "9" } } },
      { "HTTP/1.1 500 \r\nContent-Length: 2, 2\r\nno colon\r\n folded\r\n\r\nok and more",
        { status = 500, body = "ok", keep = true, rest = true,
          headers = { ["Content-Length"] = "2, 2" } } },
    }

    it("is the same wherever it is cut", function()
      for _, row in ipairs(ANSWERS) do
        local text, expected = row[1], row[2]
        assert.same(expected, read(text))
        local bytes = {}
        for i = 1, #text do bytes[i] = text:sub(i, i) end
        local alone = read(bytes)
        alone.rest = expected.rest -- what follows an answer need not have come yet
        assert.same(expected, alone)
        for i = 1, #text - 1 do
          local cut = read{ text:sub(1, i), text:sub(i + 1) }
          cut.rest = expected.rest
          assert.same(expected, cut)
        end
      end
    end)

    it("that is cut short is an error wherever it ends", function()
      for _, row in ipairs(ANSWERS) do
        local text, expected = row[1], row[2]
        for i = 1, #text - 1 do
          local answer, code = read(text:sub(1, i))
          if answer then
            -- Only one that ends with its connection, or what belongs to no answer, may be missing.
            assert.is_true(expected.rest or not expected.keep, text:sub(1, i))
          else
            assert.equal("TruncatedResponse", code, text:sub(1, i))
          end
        end
      end
      assert.same({ n = 4, nil, nil, "closed" }, { n = 4, read("") })
    end)

    it("to HEAD has no body", function()
      local text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
      assert.equal("", read(text, "HEAD").body)
      assert.equal("", read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HEAD").body)
    end)

    it("that is not HTTP is refused", function()
      for _, text in ipairs{
        "SSH-2.0-OpenSSH_9.2\r\n", "X", "HTTP/2 200\r\n\r\n", "HTTP/1.1 99 X\r\n\r\n",
        "HTTP/1.1 2000 X\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\n", "HTTP/1.1 000 X\r\n\r\n",
        "HTTP/1.1 200 OK\r\n folded: first\r\n\r\n", "HTTP/1.1 200 OK\r\nA: \0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        CHUNKED .. "zz\r\n", CHUNKED .. "\r\n", CHUNKED .. "-1\r\n", CHUNKED .. "1\r\nab\r\n",
        CHUNKED .. "1 2\r\n", CHUNKED .. ("0"):rep(5000), CHUNKED .. "ffffffffffffffff\r\n",
        CHUNKED .. "0\r\n folded\r\n\r\n",
      } do
        local answer, code, message = read(text)
        assert.is_nil(answer, text)
        assert.equal("InvalidResponse", code, text)
        assert.is_string(message)
      end
    end)

    it("that contradicts itself ends its connection", function()
      assert.is_false(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" ..
        "Content-Length: 3\r\n\r\n0\r\n\r\n").keep)
    end)

    it("is limited in its head and its body", function()
      local status = "HTTP/1.1 200 OK\r\n"
      local function code_of(text, max)
        return (select(2, read(text, nil, max)))
      end
      assert.equal("ResponseTooLarge", code_of(status .. ("A: b\r\n"):rep(300)))
      assert.equal("ResponseTooLarge", code_of(status .. "A: " .. ("x"):rep(5000)))
      assert.equal("ResponseTooLarge", code_of(status .. "A: b\r\n" .. (" c\r\n"):rep(2000)))
      assert.equal("ResponseTooLarge", code_of(("HTTP/1.1 100 C\r\n\r\n"):rep(1000)))
      assert.equal("ResponseTooLarge", code_of("HTTP/1.1 " .. ("2"):rep(9000)))
      assert.equal("ResponseTooLarge", code_of(CHUNKED .. "0\r\n" .. ("A: b\r\n"):rep(300)))
      local body = ("x"):rep(1000)
      local announced = status .. "Content-Length: 1000\r\n\r\n" .. body
      assert.equal(body, read(announced, nil, 1000).body)
      for _, text in ipairs{ announced, status .. "\r\n" .. body,
        CHUNKED .. "3e8\r\n" .. body .. "\r\n0\r\n\r\n" } do
        assert.equal("ResponseTooLarge", code_of(text, 999))
        assert.equal(body, read(text, nil, 1000).body)
      end
      assert.equal("ResponseTooLarge",
        code_of(status .. "Content-Length: 99999999999\r\n\r\n", 1000))
    end)

    it("in a thousand pieces is put together", function()
      local pieces = { CHUNKED }
      for i = 1, 3000 do pieces[i + 1] = ("1\r\n%s\r\n"):format(string.char(65 + i % 26)) end
      pieces[#pieces + 1] = "0\r\n\r\n"
      assert.equal(3000, #read(pieces).body)
    end)

    it("hands other reasons of its source on", function()
      for _, text in ipairs{ "", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nA", CHUNKED, CHUNKED .. "2\r\na",
        CHUNKED .. "1\r\na", CHUNKED .. "0\r\n", "HTTP/1.1 200 OK\r\n\r\nabc" } do
        local source = source_of({ text ~= "" and text or nil }, "timeout")
        local head, code, reason = http1.head(source, "GET", LIMIT)
        if head then
          local body
          body, code, reason = http1.read_all(source, head, 100)
          assert.is_nil(body)
        end
        assert.is_nil(code)
        assert.equal("timeout", reason)
      end
    end)
  end)
end)
