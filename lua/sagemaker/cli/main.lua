#!/usr/bin/env lua
--- The `sagemaker` command: starts sagemaker.cli in the real world. Installed by LuaRocks as it is,
-- by CMake with a first line that names its interpreter and its tree.

os.exit(require("sagemaker.cli.world").start(arg))
