# Sourced by the scripts that set a Debian machine up.

# What building the libraries needs.
build_packages () {
  echo cmake gcc make pkg-config libssl-dev libcurl4-openssl-dev \
    lua5.4 liblua5.4-dev lua-cjson
}

# What building for every Lua and running every spec needs.
spec_packages () {
  echo "$(build_packages)" lua5.1 liblua5.1-0-dev lua5.2 liblua5.2-dev \
    lua5.3 liblua5.3-dev luajit2 libluajit2-5.1-dev luarocks lua-busted lua-check \
    nginx libnginx-mod-http-lua openssl curl clang clang-format libclang-rt-14-dev valgrind
}

# install_packages NAME...: installs the Debian packages that are missing. Where
# it may not, it prints the line to run and fails; where there is no apt-get it
# leaves the machine alone and lets the build speak.
install_packages () {
  command -v dpkg-query >/dev/null || return 0
  missing=
  for package in "$@"; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
    installed) ;;
    *) missing="$missing $package" ;;
    esac
  done
  [ -z "$missing" ] && return 0
  if [ "$(id -u)" -eq 0 ]; then
    sudo=
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo="sudo -n"
  else
    echo "These packages are missing and may not be installed from here. Run:" >&2
    echo "  sudo apt-get install --no-install-recommends$missing" >&2
    return 1
  fi
  echo "Installing:$missing"
  $sudo apt-get update -q >/dev/null 2>&1 || true
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q --no-install-recommends $missing \
    >/dev/null
}
