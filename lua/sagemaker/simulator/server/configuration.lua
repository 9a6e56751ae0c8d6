--- The configuration of an nginx that serves the simulator, as text.

local M = {}

---@class sagemaker.simulator.server.site
---@field folder string where nginx keeps its files
---@field host string
---@field port integer
---@field modules string[] files for load_module
---@field lua_path string
---@field lua_cpath string
---@field tls? {certificate: string, key: string}
---@field log? string a file; nil: no requests are logged
---@field error_log string a file, or "stderr"
---@field options string the file with the server's options

-- A word of nginx's configuration.
local function quoted(text)
  return '"' .. text:gsub('[\\"]', "\\%0") .. '"'
end

local TEMPLATE = [[
daemon off;
master_process off;
pid ${pid};
error_log ${error_log} warn;
${modules}
events { worker_connections 1024; }
http {
  lua_package_path ${lua_path};
  lua_package_cpath ${lua_cpath};
  client_body_temp_path ${body};
  proxy_temp_path ${proxy};
  fastcgi_temp_path ${fastcgi};
  uwsgi_temp_path ${uwsgi};
  scgi_temp_path ${scgi};
  log_format simulator '$time_iso8601 $remote_addr $request_method $uri $status '
    '$sagemaker_operation $sagemaker_code $request_time';
  access_log ${log};
  server_tokens off;
  underscores_in_headers on;
  ignore_invalid_headers off;
  client_header_buffer_size 8k;
  large_client_header_buffers 8 32k;
  client_max_body_size 26m;
  client_body_buffer_size 26m;
  client_header_timeout 20s;
  client_body_timeout 20s;
  send_timeout 20s;
  keepalive_timeout 75s;
  keepalive_requests 1000000;
  lua_socket_log_errors off;
  lua_max_pending_timers 1024;
  lua_max_running_timers 1024;
  init_by_lua_block { require("sagemaker.simulator.server.launch").start(${options}) }
  init_worker_by_lua_block { require("sagemaker.simulator.server.launch").began() }
  exit_worker_by_lua_block { require("sagemaker.simulator.server.launch").ended() }
  server {
    listen ${listen};
    ${tls}
    set $sagemaker_operation "-";
    set $sagemaker_code "-";
    error_page 400 403 404 405 408 411 413 414 416 431 495 496 497
      500 501 502 503 504 505 /_sagemaker_refused;
    error_page 494 =431 /_sagemaker_refused;
    location / {
      content_by_lua_block { require("sagemaker.simulator.server").content() }
    }
    location = /_sagemaker_refused {
      internal;
      content_by_lua_block { require("sagemaker.simulator.server").refuse() }
    }
    location @sagemaker_reset {
      reset_timedout_connection on;
      return 444;
    }
  }
}
]]

--- The text of nginx.conf.
---@param site sagemaker.simulator.server.site
---@return string
function M.text(site)
  local function file(name)
    return quoted(site.folder .. "/" .. name)
  end
  local modules = {}
  for i, path in ipairs(site.modules) do modules[i] = "load_module " .. quoted(path) .. ";" end
  local listen = site.host:find(":", 1, true) and "[" .. site.host .. "]" or site.host
  local values = {
    pid = file(M.PID), modules = table.concat(modules, "\n"),
    error_log = site.error_log == "stderr" and "stderr" or quoted(site.error_log),
    lua_path = quoted(site.lua_path), lua_cpath = quoted(site.lua_cpath),
    body = file "body", proxy = file "proxy", fastcgi = file "fastcgi", uwsgi = file "uwsgi",
    scgi = file "scgi", options = ("%q"):format(site.options),
    log = site.log and quoted(site.log) .. " simulator" or "off",
    listen = ("%s:%d%s"):format(listen, site.port, site.tls and " ssl" or ""), tls = "",
  }
  if site.tls then
    values.tls = ("ssl_certificate %s; ssl_certificate_key %s;"):format(
      quoted(site.tls.certificate), quoted(site.tls.key))
  end
  return (TEMPLATE:gsub("%${([%w_]+)}", values))
end

--- The file with nginx's process id, which nginx removes itself.
M.PID = "nginx.pid"

--- The files and folders that nginx leaves in its folder, those inside first.
M.LEFT = { "nginx.conf", "options.json", M.PID, "body", "proxy", "fastcgi", "uwsgi", "scgi" }

return M
