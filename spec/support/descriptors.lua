--- How many file descriptors this process has open, once the collector has closed what it may.
--
-- Without a child process: one that runs before popen has closed its end of the pipe counts that.

---@return integer
return function()
  collectgarbage()
  collectgarbage()
  local n = 0
  for fd = 0, 1023 do
    local f = io.open("/proc/self/fdinfo/" .. fd)
    if f then
      f:close()
      n = n + 1
    end
  end
  return n
end
