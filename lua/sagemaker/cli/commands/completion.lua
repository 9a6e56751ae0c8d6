--- `sagemaker completion`: scripts that complete command lines. They ask the command itself, so
-- they need not be made anew when the model grows.

local failure = require "sagemaker.cli.failure"

local M = {
  name = "completion",
  summary = require("sagemaker.cli.commands").completion,
}

M.arguments = { { name = "shell", value = "bash|zsh|fish", required = true,
  choices = { "bash", "zsh", "fish" }, summary = "The shell." } }

M.description = { "Completes operations, commands, options, enum values, regions and profiles. "
  .. "Nothing is sent for it." }

M.examples = {
  { 'eval "$(sagemaker completion bash)"', "In ~/.bashrc:" },
  { 'eval "$(sagemaker completion zsh)"', "In ~/.zshrc, after compinit:" },
  { "sagemaker completion fish | source", "In ~/.config/fish/config.fish:" },
}

local SCRIPTS = {}

-- Where the command knows no candidate, `-o default` completes file names. After file:// and
-- fileb:// that is done here; bash parts words at the colon, unless COMP_WORDBREAKS lacks it.
SCRIPTS.bash = [=[
_sagemaker_complete() {
  local line word=${COMP_WORDS[COMP_CWORD]} scheme=
  COMPREPLY=()
  if [[ $word =~ ^fileb?:// ]]; then
    scheme=${BASH_REMATCH[0]}
  elif [[ $word == //* && ${COMP_WORDS[COMP_CWORD-1]} == : \
      && ${COMP_WORDS[COMP_CWORD-2]} =~ ^fileb?$ ]]; then
    scheme=//
  fi
  if [[ -n $scheme ]]; then
    compopt +o default -o nospace 2>/dev/null
    while IFS= read -r line; do
      if [[ -d ${line/#\~/$HOME} ]]; then line=$line/; fi
      printf -v line %q "$line"
      COMPREPLY+=("$scheme${line/#\\\~/\~}")
    done < <(compgen -f -- "${word#"$scheme"}")
    return
  fi
  while IFS= read -r line; do
    COMPREPLY+=("${line%%$'\t'*}")
  done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _sagemaker_complete sagemaker
]=]

-- As a file `_sagemaker` in $fpath it is the function that it defines.
SCRIPTS.zsh = [[
#compdef sagemaker
_sagemaker() {
  local line tab=$'\t'
  local -a found
  if compset -P 'file(b|)://'; then
    _files
    return
  fi
  while IFS= read -r line; do
    found+=("${${line%%$tab*}//:/\\:}:${line#*$tab}")
  done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( $#found )); then
    _describe -V sagemaker found
  else
    _files
  fi
}
if [ "${funcstack[1]}" = _sagemaker ]; then
  _sagemaker "$@"
else
  compdef _sagemaker sagemaker
fi
]]

SCRIPTS.fish = [[
function __sagemaker_complete
  set -l words (commandline -opc)
  set -l scheme (string match -r '^fileb?://' -- (commandline -ct))
  if test -n "$scheme"
    set -l path (string replace -r '^fileb?://' '' -- (commandline -ct))
    printf '%s\n' $scheme(__fish_complete_path $path)
    return
  end
  set -l found (command $words[1] __complete $words[2..-1] (commandline -ct) 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c sagemaker -f -k -a '(__sagemaker_complete)'
]]

--- Runs the command.
---@param ctx sagemaker.cli.Context
---@return integer exit status
function M.run(ctx)
  local shell = ctx.options.shell
  local script = SCRIPTS[shell]
  if not script then
    failure.usage(("no completion for %q; there is bash, zsh and fish"):format(shell))
  end
  ctx:out(script)
  return failure.OK
end

return M
