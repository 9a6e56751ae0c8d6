std = "min"
max_line_length = 100
codes = true
files["spec/**/*_spec.lua"] = { std = "min+busted" }
files["spec/nginx/**/*.lua"] = { globals = { "ngx" } }
files["lua/sagemaker/simulator/server/front.lua"] = { globals = { "ngx" } }
exclude_files = { "build/**", "lua/sagemaker/model/types/**" }
files["rockspec/*.rockspec"] = {
  globals = { "package", "version", "source", "description", "dependencies",
    "external_dependencies", "build" },
}
