local metrics = require "sagemaker.simulator.metrics"

describe("metrics", function()
  local START = 1768478400
  local store

  before_each(function() store = metrics.new(function() return 0.5 end) end)

  local function fill(values, at)
    for _, value in ipairs(values) do store:record("Churn", "A", "ModelLatency", value, at) end
  end

  local function statistic(name, from, to)
    return store:statistic("churn", "A", "ModelLatency", name, START + from, START + to)
  end

  it("gives the statistics of a time", function()
    fill({ 3, 1, 2 }, START)
    fill({ 10 }, START + 60)
    assert.equal(3, statistic("SampleCount", 0, 60))
    assert.equal(6, statistic("Sum", 0, 60))
    assert.equal(2, statistic("Average", 0, 60))
    assert.equal(1, statistic("Minimum", 0, 60))
    assert.equal(10, statistic("Maximum", 0, 120))
    assert.equal(4, statistic("Average", 0, 120))
  end)

  it("gives percentiles, interpolated", function()
    fill({ 40, 10, 30, 20 }, START)
    assert.equal(10, statistic("p0", 0, 60))
    assert.equal(25, statistic("p50", 0, 60))
    assert.equal(40, statistic("p100", 0, 60))
    assert.near(39.7, statistic("p99", 0, 60), 1e-9)
  end)

  it("knows nothing of times and variants without values", function()
    fill({ 1 }, START)
    assert.is_nil(statistic("Sum", 60, 120))
    assert.is_nil(store:statistic("churn", "B", "ModelLatency", "Sum", START, START + 60))
    assert.is_nil(store:statistic("churn", "A", "Invocations", "Sum", START, START + 60))
  end)

  it("keeps a bounded number of values and forgets old buckets", function()
    for i = 1, 5000 do store:record("churn", "A", "ModelLatency", i, START) end
    local series = next(store.series) and select(2, next(store.series))
    local _, bucket = next(series[60].buckets)
    assert.equal(1000, #bucket.values)
    assert.equal(5000, statistic("SampleCount", 0, 60))
    fill({ 1 }, START + 3 * 86400)
    assert.is_nil(statistic("Sum", 0, 60))
  end)

  it("tells tens of seconds apart, for three hours", function()
    fill({ 1 }, START)
    fill({ 2, 4 }, START + 10)
    fill({ 8 }, START + 39.9)
    assert.equal(1, statistic("Sum", 0, 10))
    assert.equal(6, statistic("Sum", 10, 30))
    assert.equal(8, statistic("Maximum", 30, 60))
    assert.equal(15, statistic("Sum", 0, 60))
    assert.is_nil(statistic("Sum", 40, 50))
    fill({ 16 }, START + 4 * 3600)
    assert.is_nil(statistic("Sum", 0, 10))
    assert.equal(15, statistic("Sum", 0, 60))
  end)

  it("can be saved and loaded", function()
    fill({ 3, 1, 2 }, START)
    local other = metrics.new()
    other:load(store:save())
    assert.equal(3, other:statistic("churn", "A", "ModelLatency", "Maximum", START, START + 10))
    assert.equal(2, other:statistic("churn", "A", "ModelLatency", "p50", START, START + 60))
  end)

  it("tells which statistics there are", function()
    for _, name in ipairs { "Sum", "SampleCount", "p0", "p99.9", "p100" } do
      assert.is_true(metrics.is_statistic(name))
    end
    for _, name in ipairs { "p101", "Median", "p", "tm99", "" } do
      assert.is_false(metrics.is_statistic(name))
    end
  end)
end)
