--- The options that every command takes, before or after its name.
--
-- A row of options, here and in commands:
--   name      as it is written, without the dashes
--   kind      "string" (default), "integer", "flag" (takes no value) or "list" (takes several)
--   key       where the value goes; default: the name with "_" for "-"
--   sets      what a flag sets; default: true
--   choices   the values that there are
--   optional  the value that stands where none is given
--   required  true: it must be given
--   value     what to call the value in help
--   summary   one sentence for help

return {
  { name = "ca-bundle", value = "FILE",
    summary = "Trust the certificates in this file, or folder, only." },
  { name = "cli-auto-prompt", kind = "flag", summary = "Taken for compatibility; asks nothing." },
  { name = "cli-binary-format", choices = { "base64", "raw-in-base64-out" },
    summary = "How binary values are given on the command line and in JSON." },
  { name = "cli-connect-timeout", kind = "integer", value = "SECONDS",
    summary = "Time to connect; 0 waits for ever." },
  { name = "cli-read-timeout", kind = "integer", value = "SECONDS",
    summary = "Time without a byte of the answer; 0 waits for ever." },
  { name = "color", choices = { "on", "off", "auto" }, summary = "Colours in tables." },
  { name = "debug", kind = "flag", summary = "Say on stderr what is sent and received." },
  { name = "dry-run", kind = "flag", summary = "Print the signed request, and send nothing." },
  { name = "endpoint-url", value = "URL", summary = "Send to this URL instead of AWS's own." },
  { name = "no-cli-auto-prompt", kind = "flag", key = "cli_auto_prompt", sets = false,
    summary = "Taken for compatibility." },
  { name = "no-cli-pager", kind = "flag", key = "cli_pager", sets = false,
    summary = "Use no pager, whatever is configured." },
  { name = "no-paginate", kind = "flag", key = "paginate", sets = false,
    summary = "Make one call and print its page." },
  { name = "no-sign-request", kind = "flag", key = "sign_request", sets = false,
    summary = "Send no signature and look for no credentials." },
  { name = "no-verify-ssl", kind = "flag", key = "verify_ssl", sets = false,
    summary = "Do not verify certificates. Anybody can answer then." },
  { name = "output", choices = { "json", "text", "table", "yaml", "yaml-stream", "off" },
    summary = "The form of what is printed." },
  { name = "profile", value = "NAME", summary = "A profile of the shared files." },
  { name = "query", value = "EXPRESSION", summary = "Print only this part (JMESPath)." },
  { name = "region", value = "NAME", summary = "The region, for example eu-west-1." },
  { name = "strict", kind = "flag",
    summary = "Check enum values, limits and patterns too before anything is sent." },
  { name = "version", kind = "flag", summary = "Print the version." },
}
