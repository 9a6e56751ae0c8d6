local timers = require "sagemaker.task.timers"

-- A sequence of numbers that looks random (the generator of Park and Miller).
local function numbers(seed)
  return function(most)
    seed = seed * 48271 % 2147483647
    return seed % most + 1
  end
end

describe("timers", function()
  it("give the earliest first, whatever is added and taken out", function()
    for seed = 1, 50 do
      local random, queue, list = numbers(seed), timers.new(), {}
      for _ = 1, 200 do
        if random(3) == 1 and #list > 0 then
          queue:remove(table.remove(list, random(#list)))
        else
          local entry = {}
          list[#list + 1] = entry
          queue:add(entry, random(40))
        end
        local least = math.huge
        for _, entry in ipairs(list) do least = math.min(least, entry.at) end
        assert.equal(#list, queue.n)
        assert.equal(least, queue:first() and queue:first().at or math.huge)
      end
      local before = 0
      while queue:first() do
        local entry = queue:first()
        assert.is_true(entry.at >= before)
        before = entry.at
        queue:remove(entry)
        queue:remove(entry) -- once is enough
      end
      assert.equal(0, queue.n)
    end
  end)
end)
