-- For wrk: the requests of a file, one after the other; counts answers that are not 200.
local requests = dofile(os.getenv "REQUESTS")
local at = 0

function request () -- luacheck: ignore
  at = at % #requests + 1
  return requests[at]
end
