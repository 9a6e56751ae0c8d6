#!/usr/bin/env lua
--- The `sagemaker` command: starts sagemaker.cli in the real world. Installed by LuaRocks as it is,
-- by CMake, where there is no Lua to build a program with (csrc/lcommand.c), with a first line that
-- names its interpreter and its tree.

local code = require("sagemaker.cli.world").start(arg)
require("sagemaker.core").terminal.leave(code)
