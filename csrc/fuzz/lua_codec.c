/*
** The codec as Lua sees it: any bytes as an answer, an error, a request, and,
** where they are JSON, as parameters. What was decoded must encode, and must
** come out the same when that is decoded again.
**
** The first byte chooses the service and the operation.
*/
#include <stdio.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "fuzz.h"

int luaopen_sagemaker_core(lua_State *L);

static const char script[] =
    "local core = ...\n"
    "local services = { core.service('sagemaker'), "
    "core.service('sagemaker-runtime') }\n"
    "local any = core.load_service { metadata = { protocol = 'rest-json' },\n"
    "  operations = { Op = { output = { shape = 'Out' },\n"
    "    http = { method = 'GET', requestUri = '/' } } },\n"
    "  shapes = { Out = { type = 'structure', payload = 'v', members = {\n"
    "    v = { shape = 'Any' } } }, Any = { type = 'structure', document = "
    "true,\n"
    "    members = {} } } }\n"
    "local function round(service, name, output)\n"
    "  local one, errors = core.encode_output(service, name, output)\n"
    "  if not one then return assert(#errors > 0) end\n"
    "  local again = assert(core.decode(service, name, one.status, "
    "one.headers, one.body))\n"
    "  local two = assert(core.encode_output(service, name, again))\n"
    "  assert(#one.body == #two.body, one.body)\n"
    "end\n"
    "return function(choice, text)\n"
    "  local service = services[choice % 8 == 0 and 2 or 1]\n"
    "  local names = service:operations()\n"
    "  local name = names[choice % #names + 1]\n"
    "  local headers = { ['Content-Type'] = text, ['x-amzn-errortype'] = "
    "text,\n"
    "    ['x-amzn-query-error'] = text }\n"
    "  local output, message = core.decode(service, name, 200, headers, text)\n"
    "  if output then round(service, name, output) else assert(#message > 0) "
    "end\n"
    "  assert(#core.decode_error(service, name, 400, headers, text).code > 0)\n"
    "  core.decode_error(service, nil, 503, {}, text)\n"
    "  core.decode_input(service, { method = 'POST', path = text, query = "
    "text,\n"
    "    headers = { ['X-Amz-Target'] = 'SageMaker.' .. name }, body = text "
    "})\n"
    "  local params = core.decode(any, 'Op', 200, {}, text)\n"
    "  if type(params) == 'table' and type(params.v) == 'table' then\n"
    "    for _, mode in ipairs { 'basic', 'strict', false } do\n"
    "      local request, errors = core.encode(service, name, params.v, mode)\n"
    "      assert(request or #errors > 0)\n"
    "      if request then assert(core.decode_input(service, request)) end\n"
    "    end\n"
    "  end\n"
    "end\n";

/* The function of the script, kept at index 1. */
static lua_State *start (void) {
  lua_State *L = luaL_newstate();
  FUZZ_CHECK(L != NULL);
  luaL_openlibs(L);
  FUZZ_CHECK(luaL_loadstring(L, script) == 0);
  lua_pushcfunction(L, luaopen_sagemaker_core);
  lua_call(L, 0, 1);
  lua_call(L, 1, 1);
  return L;
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  static lua_State *L;
  if (L == NULL)
    L = start();
  if (size == 0)
    return 0;
  lua_pushvalue(L, 1);
  lua_pushinteger(L, data[0] * 7);
  lua_pushlstring(L, (const char *)data + 1, size - 1);
  if (lua_pcall(L, 2, 0, 0) != 0) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    abort();
  }
  return 0;
}
