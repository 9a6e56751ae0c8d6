local logger = require "sagemaker.logger"

describe("sagemaker.logger", function()
  it("shows neither secrets nor bodies", function()
    local lines = {}
    local function log(level, text) lines[#lines + 1] = level .. " " .. text end
    logger.request(log, "CreateModel", {
      method = "POST", url = "https://h/", body = '{"Password":"HIDDEN"}',
      headers = { Authorization = "HIDDEN", ["x-amz-SECURITY-token"] = "HIDDEN",
        ["X-Amz-Target"] = "SageMaker.CreateModel" },
    }, 2)
    logger.response(log, "CreateModel",
      { status = 200, headers = { ["Set-Cookie"] = "HIDDEN", Date = "now" }, body = "HIDDEN" })
    local text = table.concat(lines, "\n")
    assert.is_nil(text:find("HIDDEN"))
    assert.same({
      "debug CreateModel: attempt 2: POST https://h/, 21 bytes; Authorization: <redacted>, "
        .. "X-Amz-Target: SageMaker.CreateModel, x-amz-SECURITY-token: <redacted>",
      "debug CreateModel: HTTP 200, 6 bytes; Date: now, Set-Cookie: <redacted>",
    }, lines)
  end)

  it("tells retries and failures", function()
    local lines = {}
    local function log(level, text) lines[#lines + 1] = level .. " " .. text end
    local err = setmetatable({}, { __tostring = function() return "Throttling: slow" end })
    logger.retry(log, "Op", err, 1, 0.5)
    logger.failure(log, "Op", err)
    assert.same({ "info Op: attempt 1 failed (Throttling: slow), next one in 0.500 s",
      "warn Op: Throttling: slow" }, lines)
  end)
end)
