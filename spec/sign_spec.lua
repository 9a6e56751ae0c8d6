local core = require "sagemaker.core"
local shapes = require "support.shapes"
local support = require "support"
local sigv4 = require "support.sigv4"

local CLOCK = sigv4.epoch("2026-01-15T12:34:56Z")
local HASH_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

--- KEY with more fields.
local function options(more)
  local all = { region = "us-west-2", service = "sagemaker" }
  for k, v in pairs(sigv4.KEY) do all[k] = v end
  for k, v in pairs(more or {}) do all[k] = v end
  return all
end

local function new_request(more)
  local request = {
    method = "POST", url = "https://api.sagemaker.us-west-2.amazonaws.com/", body = "{}",
    headers = {
      ["Content-Type"] = "application/x-amz-json-1.1",
      ["X-Amz-Target"] = "SageMaker.ListEndpoints",
    },
  }
  for k, v in pairs(more or {}) do request[k] = v end
  return request
end

local function signed_names(authorization)
  return authorization:match("SignedHeaders=([^,]*),")
end

describe("signing vectors", function()
  local root = support.conformance()
  root = root and root .. "/sigv4"

  if not root then
    pending("the vectors are not at hand")
    return
  end

  --- Stage by stage, then all together, in one form.
  local function check_form(case, form, want)
    local signer = core.signer(case.options)
    local request = sigv4.parse_request(case.request)
    local expires = form == "query" and case.expires or nil
    local canonical = signer:canonical_request(request, case.epoch, expires)
    if want["canonical-request"] then assert.equal(want["canonical-request"], canonical) end
    local text = signer:string_to_sign(canonical, case.epoch)
    if want["string-to-sign"] then assert.equal(want["string-to-sign"], text) end
    local signature = signer:signature(text, case.epoch)
    if want.signature then assert.equal(want.signature, signature) end
    if not want["signed-request"] then return end
    local signed = sigv4.parse_request(want["signed-request"])
    if form == "header" then
      assert.equal(request, signer:sign(request, case.epoch))
      assert.same(sigv4.header_lines(signed.headers), sigv4.header_lines(request.headers))
    else
      local url = signer:presign(request, case.epoch, case.expires)
      assert.equal("https://" .. request.headers.Host .. signed.target, url)
    end
  end

  it("in folders of stages agree in header and query form", function()
    local ran, skipped = 0, {}
    for _, dir in ipairs(sigv4.folders(root)) do
      local case = sigv4.form_case(dir)
      for form, want in pairs(case and case.want or {}) do
        if next(want) == nil then
          skipped[#skipped + 1] = { id = case.id .. " " .. form,
            reason = "nothing to compare with" }
        else
          local ok, err = pcall(check_form, case, form, want)
          if not ok then error(case.id .. " " .. form .. ": " .. tostring(err), 0) end
          ran = ran + 1
        end
      end
    end
    support.tally("sigv4: folders of stages", ran, skipped)
  end)

  it("in files of stages agree", function()
    local ran, skipped = 0, {}
    local function check(case)
      local signer = core.signer(case.options)
      local request = sigv4.parse_request(case.request)
      local canonical = signer:canonical_request(request, case.epoch)
      assert.equal(case.creq, canonical)
      assert.equal(case.sts, signer:string_to_sign(canonical, case.epoch))
      assert.equal(case.authz, signer:authorization(request, case.epoch))
      signer:sign(request, case.epoch)
      assert.equal(case.authz, request.headers.Authorization)
      local stated = case.signed.Authorization:gsub("^%s+", "")
      if stated ~= case.authz then
        skipped[#skipped + 1] = { id = case.id .. ".sreq", reason = "contradicts its own .authz" }
      else
        assert.same(sigv4.header_lines(case.signed), sigv4.header_lines(request.headers))
      end
    end
    for _, dir in ipairs(sigv4.folders(root)) do
      local case = sigv4.file_case(dir)
      if case and sigv4.parse_request(case.request).folded then
        skipped[#skipped + 1] = { id = case.id,
          reason = "folded header lines (obsolete), which this suite joins by commas" }
      elseif case then
        local ok, err = pcall(check, case)
        if not ok then error(case.id .. ": " .. tostring(err), 0) end
        ran = ran + 1
      end
    end
    support.tally("sigv4: files of stages", ran, skipped)
  end)
end)

describe("golden signatures", function()
  --- The bytes of a body as the golden files write it.
  local function bytes_of(body)
    if body == nil or body == support.null then return nil end
    if type(body) == "table" then return core.text.unbase64(body["$bytes"]) end
    return body
  end

  --- Signs the golden request again, and verifies it as a service would.
  local function check(row, secret, now)
    local wanted = row.headers.authorization
    local id, region, service = wanted:match("Credential=([^/]+)/%d+/([^/]+)/([^/]+)/aws4_request")
    local signer = core.signer {
      access_key_id = id, secret_access_key = secret, region = region, service = service,
      session_token = row.headers["x-amz-security-token"],
    }
    local request = { method = row.method, url = row.url, headers = row.headers,
      body = bytes_of(row.body) }
    local epoch = now or sigv4.epoch(row.headers["x-amz-date"])
    row.headers["x-amz-date"] = core.time.format(math.floor(epoch), "amz")
    assert.equal(wanted, signer:authorization(request, epoch, signed_names(wanted)))
    signer:sign(request, epoch)
    assert.equal(wanted, request.headers.Authorization)
    assert.is_nil(request.headers.authorization)
    assert.is_nil(request.headers["x-amz-date"])
  end

  local function run(suite, list)
    local ran, skipped = 0, {}
    for _, item in ipairs(list) do
      if item.reason then
        skipped[#skipped + 1] = item
      else
        local ok, err = pcall(check, item.row, item.secret, item.epoch)
        if not ok then error(item.id .. ": " .. tostring(err), 0) end
        ran = ran + 1
      end
    end
    support.tally(suite, ran, skipped)
  end

  for _, name in ipairs { "requests", "requests_auto" } do
    it("of " .. name .. ".jsonl agree", function()
      local list = {}
      for _, row in ipairs(support.rows("golden/" .. name .. ".jsonl")) do
        local item = { id = row.id, row = row, secret = sigv4.KEY.secret_access_key }
        if not row.headers then
          item.reason = "refused before it became a request"
        elseif not row.headers.authorization then
          item.reason = "sent unsigned"
        end
        list[#list + 1] = item
      end
      run("golden/" .. name, list)
    end)
  end

  it("of cli.jsonl agree", function()
    local list = {}
    for _, row in ipairs(support.rows("golden/cli.jsonl")) do
      local now = CLOCK -- it stands still but for sleeps; these rows do not write it down
      for i, request in ipairs(row.requests) do
        local item = { id = row.id .. "[" .. i .. "]", row = request }
        local authorization = request.headers.authorization
        local id = authorization and authorization:match("Credential=([^/]+)/")
        if not id then
          item.reason = "sent unsigned"
        elseif id ~= row.env.AWS_ACCESS_KEY_ID then
          item.reason = "its keys are not in the environment"
        elseif i > 1 and #row.sleeps > 0 and #row.sleeps ~= #row.requests - 1 then
          item.reason = "sent at a time that cannot be told from the sleeps"
        end
        item.secret = row.env.AWS_SECRET_ACCESS_KEY
        item.epoch = now
        now = now + (row.sleeps[i] or 0)
        list[#list + 1] = item
      end
    end
    run("golden/cli", list)
  end)
end)

describe("signer:sign", function()
  it("adds date and authorization, and nothing else", function()
    local request = new_request()
    assert.equal(request, core.signer(options()):sign(request, CLOCK))
    assert.equal("20260115T123456Z", request.headers["X-Amz-Date"])
    assert.equal("content-type;host;x-amz-date;x-amz-target",
      signed_names(request.headers.Authorization))
    request.headers.Authorization, request.headers["X-Amz-Date"] = nil, nil
    assert.same(new_request(), request)
  end)

  it("replaces what another attempt has left, in any case of letters", function()
    local signer = core.signer(options())
    local request = signer:sign(new_request(), CLOCK)
    local before = request.headers.Authorization
    request.headers["x-amz-DATE"] = "20000101T000000Z"
    request.headers.authorization = "old"
    request.headers["X-Amz-Security-Token"] = "old"
    request.headers["x-amz-security-token"] = { "older", "oldest" }
    signer:sign(request, CLOCK)
    assert.equal(before, request.headers.Authorization)
    local n = 0
    for _ in pairs(request.headers) do n = n + 1 end
    assert.equal(4, n)
    signer:sign(request, CLOCK + 1)
    assert.not_equal(before, request.headers.Authorization)
  end)

  it("signs and sends the session token, or sends it only", function()
    local request = core.signer(options { session_token = "t/+=" }):sign(new_request(), CLOCK)
    assert.equal("t/+=", request.headers["X-Amz-Security-Token"])
    assert.truthy(request.headers.Authorization:find("x-amz-security-token", 1, true))
    request = core.signer(options { session_token = "t", omit_session_token = true })
      :sign(new_request(), CLOCK)
    assert.equal("t", request.headers["X-Amz-Security-Token"])
    assert.falsy(request.headers.Authorization:find("x-amz-security-token", 1, true))
  end)

  it("signs the body's hash when asked", function()
    local signer = core.signer(options { sign_body = true })
    local request = signer:sign(new_request { body = "" }, CLOCK)
    assert.equal(HASH_OF_NOTHING, request.headers["X-Amz-Content-Sha256"])
    local again = request.headers.Authorization
    assert.equal(again, signer:sign(request, CLOCK).headers.Authorization)
    assert.truthy(again:find(";x-amz-content-sha256;", 1, true))
    request = new_request { payload_hash = "UNSIGNED-PAYLOAD" }
    assert.not_equal("UNSIGNED-PAYLOAD",
      signer:sign(request, CLOCK).headers["X-Amz-Content-Sha256"])
    request.body = nil -- only then is the hash looked at
    assert.equal("UNSIGNED-PAYLOAD", signer:sign(request, CLOCK).headers["X-Amz-Content-Sha256"])
    assert.truthy(signer:canonical_request(request, CLOCK):find("\nUNSIGNED%-PAYLOAD$"))
  end)

  it("leaves out headers that change on the way", function()
    local request = new_request()
    for _, name in ipairs { "User-Agent", "Expect", "Connection", "Transfer-Encoding", "TE",
      "Keep-Alive", "Upgrade", "X-Amzn-Trace-Id", "amz-sdk-request", "amz-sdk-invocation-id",
      "Content-Length", "Proxy-Authorization", "Sec-WebSocket-Key" } do
      request.headers[name] = "1"
    end
    request.headers["X-Amzn-Custom"] = "1"
    core.signer(options()):sign(request, CLOCK)
    assert.equal("content-type;host;x-amz-date;x-amz-target;x-amzn-custom",
      signed_names(request.headers.Authorization))
  end)

  it("takes the host from the headers, the request or its URL", function()
    local signer = core.signer(options())
    local function host_of(request)
      return signer:canonical_request(request, CLOCK):match("\nhost:([^\n]*)\n")
    end
    assert.equal("api.sagemaker.us-west-2.amazonaws.com", host_of(new_request()))
    assert.equal("a:8443", host_of(new_request { url = "https://a:8443/x" }))
    assert.equal("a", host_of(new_request { url = "https://a:443/x" }))
    assert.equal("a:443", host_of(new_request { url = "http://a:443/x" }))
    assert.equal("b", host_of(new_request { host = "b" }))
    assert.equal("c", host_of(new_request { host = "b", headers = { hOst = "c" } }))
    assert.equal("d", host_of { method = "GET", path = "/", host = "d" })
    assert.equal("e", host_of { method = "GET", path = "/", url = "https://e/z" })
  end)

  it("prefers path and query to the URL", function()
    local signer = core.signer(options())
    local text = signer:canonical_request(new_request { path = "/p", query = "b=2&a=1" }, CLOCK)
    assert.truthy(text:find("^POST\n/p\na=1&b=2\n"))
    text = signer:canonical_request(new_request { url = "https://h/q%3A?z=%41&y" }, CLOCK)
    assert.truthy(text:find("^POST\n/q%%253A\ny=&z=A\n"))
    text = core.signer(options { double_encode = false })
      :canonical_request(new_request { url = "https://h/q%3A" }, CLOCK)
    assert.truthy(text:find("^POST\n/q%%3A\n"))
  end)

  it("changes its key with the day", function()
    local signer = core.signer(options())
    for _, epoch in ipairs { CLOCK, CLOCK + 86400, CLOCK, -1, 0.75, 951782400 } do
      local fresh = core.signer(options())
      assert.equal(fresh:sign(new_request(), epoch).headers.Authorization,
        signer:sign(new_request(), epoch).headers.Authorization)
    end
    assert.truthy(signer:string_to_sign("", -0.5):find("\n19691231T235959Z\n", 1, true))
  end)

  it("signs headers however many and long they are, up to a limit", function()
    local request = new_request()
    for i = 1, 120 do request.headers["x-h" .. i] = ("v"):rep(500) end
    local signer = core.signer(options())
    local names = signed_names(signer:sign(request, CLOCK).headers.Authorization)
    local _, n = names:gsub(";", "")
    assert.equal(123, n)
    for i = 121, 200 do request.headers["x-h" .. i] = "v" end
    assert.has_error(function() signer:sign(request, CLOCK) end)
  end)
end)

-- A signer keeps what messages have in common with the ones before them.
describe("signers in turn", function()
  local rnd = shapes.random(1)
  local letters = {}
  for i = 1, 3000 do letters[i] = string.char(97 + rnd(26)) end
  local TEXT = table.concat(letters)

  -- A text that begins as all others do, now and then with whole blocks of a hash.
  local function text()
    local n = rnd(2) == 0 and rnd(300) or 64 * rnd(40) + rnd(3) - 1
    return TEXT:sub(1, math.max(n, 0))
  end

  local function random_request()
    local headers = { Host = rnd(2) == 0 and "one" or "another", A = text() }
    for i = 1, rnd(3) do headers["X-" .. i] = text() end
    return { method = "POST", path = "/" .. TEXT:sub(1, rnd(200)), query = "", headers = headers,
      body = text() }
  end

  it("sign as new ones do, whatever they have signed before", function()
    for _ = 1, 100 do
      local epoch, turns = CLOCK + rnd(400) * 86400, {}
      for i = 1, 3 do
        local all = options { secret_access_key = TEXT:sub(i, i + 39), region = "r" .. rnd(2),
          session_token = i > 1 and text() .. "t" or nil }
        turns[i] = { options = all, signer = core.signer(all) }
      end
      for _ = 1, 10 do
        local turn, request = turns[1 + rnd(3)], random_request()
        if rnd(3) == 0 then epoch = epoch + ({ -1, 1, 86400 })[1 + rnd(3)] end
        local kept = turn.signer:sign(request, epoch).headers.Authorization
        assert.equal(core.signer(turn.options):sign(request, epoch).headers.Authorization, kept)
      end
    end
  end)
end)

describe("signer:presign", function()
  it("makes a URL whose signature the service finds, too", function()
    local signer = core.signer(options { session_token = "to/ken" })
    local url = signer:presign({ method = "GET", url = "http://h:8080/a%3Ab?x=1&y" }, CLOCK, 60)
    assert.truthy(url:find("^http://h:8080/a%%3Ab%?x=1&y&X%-Amz%-Algorithm=AWS4%-HMAC%-SHA256&"))
    assert.truthy(url:find("&X-Amz-Security-Token=to%2Fken&X-Amz-Signature=", 1, true))
    local wanted = url:match("X%-Amz%-Signature=(%x+)$")
    assert.equal(wanted, signer:query_signature({ method = "GET", url = url }, CLOCK, "host"))
    assert.not_equal(wanted, signer:query_signature({ method = "PUT", url = url }, CLOCK, "host"))
    assert.equal(url, signer:presign({ method = "GET", url = url }, CLOCK, 60))
  end)

  it("refuses a life that AWS would refuse", function()
    local signer, request = core.signer(options()), new_request()
    for _, bad in ipairs { 0, -1, 604801, 0 / 0, 1 / 0 } do
      assert.has_error(function() signer:presign(request, CLOCK, bad) end)
    end
    assert.truthy(signer:presign(request, CLOCK, 604800))
  end)
end)

describe("verifying", function()
  it("recomputes an authorization from the names that the client signed", function()
    local signer = core.signer(options())
    local request = signer:sign(new_request(), CLOCK)
    local sent = request.headers.Authorization
    request.headers["X-Forwarded-For"] = "1.2.3.4"
    local names = signed_names(sent)
    assert.is_true(core.equal(sent, signer:authorization(request, CLOCK, names)))
    request.body = "{ }"
    assert.is_false(core.equal(sent, signer:authorization(request, CLOCK, names)))
  end)

  it("counts a signed header that did not arrive as empty", function()
    local signer = core.signer(options())
    local text = signer:authorization(new_request(), CLOCK, "host;x-gone")
    assert.equal("host;x-gone", signed_names(text))
  end)

  it("compares secrets in a time that tells nothing", function()
    assert.is_true(core.equal("", ""))
    assert.is_true(core.equal("a\0b", "a\0b"))
    assert.is_false(core.equal("a\0b", "a\0c"))
    assert.is_false(core.equal("a", "ab"))
    assert.has_error(function() core.equal("a") end)
  end)
end)

describe("misuse of a signer", function()
  it("of its options throws, and names the field", function()
    for _, name in ipairs { "access_key_id", "secret_access_key", "region", "service" } do
      local bad = options()
      bad[name] = nil
      local ok, message = pcall(core.signer, bad)
      assert.is_false(ok)
      assert.truthy(message:find("'" .. name .. "'", 1, true), message)
      for _, value in ipairs { "", "a b", "a\nb", "\195\164", true } do
        assert.has_error(function() core.signer(options { [name] = value }) end)
      end
    end
    assert.has_error(function() core.signer(options { session_token = "a\r\nb" }) end)
    assert.has_error(function() core.signer(options { region = "a/b" }) end)
    assert.has_error(function() core.signer() end)
  end)

  it("of its requests throws", function()
    local signer = core.signer(options())
    local function refuses(request, epoch)
      assert.has_error(function() signer:sign(request, epoch or CLOCK) end)
    end
    refuses(nil)
    refuses("x")
    refuses(new_request { method = {} })
    refuses(new_request { method = "GET\nX" })
    refuses(new_request { url = "no url" })
    refuses(new_request { body = true })
    refuses(new_request { headers = "x" })
    refuses(new_request { headers = { [1] = "x" } })
    refuses(new_request { headers = { ["X-Count"] = 1 } })
    refuses(new_request { headers = { ["X-List"] = { true } } })
    refuses(new_request { headers = { ["X\nY"] = "1" } })
    refuses({ method = "GET", headers = {} })
    refuses({ method = "GET", path = "/", headers = {} })
    refuses({ method = "GET", path = "/", host = "h" })
    refuses(new_request(), "now")
    refuses(new_request(), 0 / 0)
    refuses(new_request(), 1e300)
    assert.has_error(function() signer.sign({}, new_request(), CLOCK) end)
    assert.has_error(function() signer:signature(1, CLOCK) end)
    assert.has_error(function() signer:authorization(new_request(), CLOCK, 5) end)
  end)

  it("never shows a secret", function()
    local signer = core.signer(options { session_token = "tokentoken" })
    local shown = tostring(signer)
    assert.equal("sagemaker.signer (us-west-2/sagemaker)", shown)
    assert.equal("string", type(getmetatable(signer)))
    local _, message = pcall(signer.sign, signer, { headers = {} }, CLOCK)
    assert.falsy(tostring(message):find("wJalr", 1, true))
    _, message = pcall(core.signer, options { secret_access_key = "very secret" })
    assert.falsy(tostring(message):find("very", 1, true))
  end)
end)
