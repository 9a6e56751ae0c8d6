--- For the examples beside this file: an answer of SageMaker, and a client for a server on this
-- machine that gives it. With SAGEMAKER_ENDPOINT=name they ask AWS for that endpoint instead.

local sagemaker = require "sagemaker"

local M = {}

local BODY = '{"EndpointName":"churn","EndpointStatus":"InService"}'

--- What the server says to every request.
M.ANSWER = ("HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n"
  .. "Content-Length: %d\r\n\r\n%s"):format(#BODY, BODY)

M.endpoint = os.getenv "SAGEMAKER_ENDPOINT"

--- A client of AWS, or of the server at a port of this machine.
function M.client(port)
  if M.endpoint then return assert(sagemaker.new()) end
  return assert(sagemaker.new { region = "eu-west-1", endpoint_url = "http://127.0.0.1:" .. port,
    credentials = { access_key_id = "test", secret_access_key = "test" } })
end

--- Starts so many tasks, each with two calls; `done` is told when the last one has ended.
function M.start(client, n, done)
  local name, left = M.endpoint or "churn", n
  for i = 1, n do
    sagemaker.task.spawn(function()
      for call = 1, 2 do
        local endpoint = assert(client:describe_endpoint { EndpointName = name })
        print(("task %d, call %d: %s is %s"):format(i, call, endpoint.EndpointName,
          endpoint.EndpointStatus))
      end
      left = left - 1
      if left == 0 then done() end
    end)
  end
end

return M
