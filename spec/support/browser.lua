--- A headless Chromium for specs, driven over W3C WebDriver (https://www.w3.org/TR/webdriver2/) by
-- Debian's chromedriver on a port of its own choice; ended by process id.
--
--   local page = browser.open "http://127.0.0.1:…/"
--   page:wait(function() return page:text "#status" == "Updating" end)
--   page:click "#next"
--   page:close()

local cjson = require "cjson"
local server = require "support.server"
local support = require "support"

local M = {}

---@class spec.Page
local Page = {}
Page.__index = Page

-- What keeps Chromium to this machine and to itself.
local ARGUMENTS = {
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--window-size=1400,1000",
}

local function read(path)
  return support.read(path) or ""
end

--- Whether there is a browser.
---@return boolean ok
---@return string|nil reason
function M.available()
  local _, ok = server.shell("command -v chromium && command -v chromedriver")
  if ok then return true end
  return false, "chromium and chromedriver are not installed"
end

-- One WebDriver command: its value, or an error.
local function command(self, method, path, data)
  local response, message = self.transport:send {
    method = method, url = self.driver .. path, body = data and cjson.encode(data) or "",
    headers = { ["Content-Type"] = "application/json" },
  }
  if not response then error("chromedriver: " .. message, 0) end
  local value = cjson.decode(response.body).value
  if response.status >= 400 then
    error(("chromedriver, %s %s: %s"):format(method, path, tostring(value.message)), 0)
  end
  return value
end

-- The port that a driver listens at; "gone" where it ended, as it does when the port that IPv6 gave
-- it is taken on IPv4.
local function start_once(self, log)
  self.pid = server.spawn("chromedriver --port=0", log)
  return server.wait_for(20, function()
    local said = read(log)
    return said:match("started successfully on port (%d+)") or not server.alive(self.pid) and "gone"
  end)
end

local function start_driver(self)
  local log = self.dir .. "/driver.log"
  for _ = 1, 5 do
    local port = start_once(self, log)
    if port and port ~= "gone" then
      self.driver = "http://127.0.0.1:" .. port
      return
    end
    if not read(log):find("Address already in use", 1, true) then break end
  end
  error("chromedriver did not start: " .. read(log), 0)
end

--- Opens a page.
---@param url string
---@param opts? {dark: boolean}
---@return spec.Page
function M.open(url, opts)
  local self = setmetatable({ dir = server.folder(),
    transport = require("sagemaker.transport.curl").new() }, Page)
  local ok, failure = pcall(function()
    start_driver(self)
    local arguments = { "--user-data-dir=" .. self.dir .. "/profile" }
    for _, argument in ipairs(ARGUMENTS) do arguments[#arguments + 1] = argument end
    if opts and opts.dark then
      arguments[#arguments + 1] = "--blink-settings=preferredColorScheme=0"
    end
    local session = command(self, "POST", "/session", { capabilities = { alwaysMatch = {
      browserName = "chrome", ["goog:loggingPrefs"] = { browser = "ALL" },
      ["goog:chromeOptions"] = { args = arguments, binary = "/usr/bin/chromium" },
    } } })
    self.session = "/session/" .. session.sessionId
    command(self, "POST", self.session .. "/url", { url = url })
  end)
  if not ok then
    self:close()
    error(failure, 0)
  end
  return self
end

--- What a function body in JavaScript returns in the page.
---@param script string
---@param ... any its `arguments`
---@return any
function Page:run(script, ...)
  local arguments = { ... }
  if #arguments == 0 then arguments[1] = cjson.null end
  return command(self, "POST", self.session .. "/execute/sync",
    { script = script, args = arguments })
end

--- The text of an element as a person sees it; "" when there is none.
---@param selector string
---@return string
function Page:text(selector)
  return self:run("const e = document.querySelector(arguments[0]); return e ? e.innerText : ''",
    selector)
end

local function element(self, selector)
  local found = command(self, "POST", self.session .. "/element",
    { using = "css selector", value = selector })
  local _, id = next(found)
  return self.session .. "/element/" .. id
end

--- Clicks as a person does: the element must be there and not be covered.
---@param selector string
function Page:click(selector)
  command(self, "POST", element(self, selector) .. "/click", { [""] = "" })
end

--- Types into a field, whose old value goes.
---@param selector string
---@param text string
function Page:fill(selector, text)
  local field = element(self, selector)
  command(self, "POST", field .. "/clear", { [""] = "" })
  command(self, "POST", field .. "/value", { text = text })
end

local KEYS = { Tab = "\238\128\132", Enter = "\238\128\135", Space = " " }

--- Presses keys wherever the focus is.
---@param ... string "Tab", "Enter", "Space"
function Page:press(...)
  local actions = {}
  for _, name in ipairs { ... } do
    actions[#actions + 1] = { type = "keyDown", value = KEYS[name] }
    actions[#actions + 1] = { type = "keyUp", value = KEYS[name] }
  end
  command(self, "POST", self.session .. "/actions",
    { actions = { { type = "key", id = "keys", actions = actions } } })
end

--- Waits until something is so, at most 20 seconds.
---@param ready fun(): any
---@return any
function Page:wait(ready)
  local answer = server.wait_for(20, ready)
  if not answer then error("the page did not come to it; it says:\n" .. self:text "body", 2) end
  return answer
end

--- Gives the window another size.
---@param width integer
---@param height integer
function Page:resize(width, height)
  command(self, "POST", self.session .. "/window/rect", { width = width, height = height })
end

--- What the page has complained about on its console since the last time.
---@return string[]
function Page:complaints()
  local list = {}
  for _, entry in ipairs(command(self, "POST", self.session .. "/se/log", { type = "browser" })) do
    if entry.level ~= "INFO" and entry.level ~= "DEBUG" then list[#list + 1] = entry.message end
  end
  return list
end

--- Writes a picture of what is to be seen, for looking at it.
---@param path string of a PNG file
function Page:picture(path)
  local file = assert(io.open(path, "wb"))
  local data = command(self, "GET", self.session .. "/screenshot")
  file:write((require("sagemaker.core").text.unbase64(data)))
  file:close()
end

--- Ends the browser.
function Page:close()
  if self.session then pcall(command, self, "DELETE", self.session) end
  self.transport:close()
  if self.pid then
    server.shell(("kill %d; sleep 0.2; kill -9 %d"):format(self.pid, self.pid))
  end
  server.shell("rm -rf '" .. self.dir .. "'")
end

return M
