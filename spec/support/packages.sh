# Sourced by the scripts that set a Debian machine up.

# What building the libraries for Lua 5.4 and running the examples needs.
build_packages () {
  echo cmake gcc libc6-dev make pkg-config libssl-dev libcurl4-openssl-dev \
    lua5.4 liblua5.4-dev lua-cjson
}

# What building for every Lua and running every spec needs.
spec_packages () {
  echo "$(build_packages)" lua5.1 liblua5.1-0-dev lua5.2 liblua5.2-dev \
    lua5.3 liblua5.3-dev luajit2 libluajit2-5.1-dev luarocks lua-busted lua-check lua-luv lua-cqueues \
    lua-yaml \
    bash zsh fish groff \
    nginx libnginx-mod-http-lua wrk openssl curl awscli python3-boto3 \
    clang clang-format libclang-rt-14-dev valgrind chromium chromium-driver
  # Node.js of another origin brings npm along, and Debian's npm cannot stand beside it.
  command -v npm >/dev/null || echo nodejs npm
}

# install_packages LOG NAME...: installs the Debian packages that are missing. Where it may not, it
# prints the line to run and fails; where there is no dpkg it leaves the machine alone and lets the
# build speak. What apt-get says goes to LOG.
install_packages () {
  log=$1
  shift
  command -v dpkg-query >/dev/null || return 0
  missing=
  for package in "$@"; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
    installed) ;;
    *) missing="$missing $package" ;;
    esac
  done
  [ -z "$missing" ] && return 0
  line="apt-get update && apt-get install -y --no-install-recommends$missing"
  if [ "$(id -u)" -eq 0 ]; then
    sudo=
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo="sudo -n"
  else
    echo "Some packages are missing. Please run, and then start this script again:" >&2
    echo "  sudo sh -c '$line'" >&2
    return 1
  fi
  echo "Installing packages:$missing"
  if ! { $sudo apt-get update && $sudo env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "The packages could not be installed. By hand: sudo sh -c '$line'" >&2
    return 1
  fi
}

# install_node FOLDER LOG: the AWS SDK for JavaScript, for the specs of the simulator. Where npm or
# its registry is out of reach those specs are pending, and say so.
install_node () {
  [ -d "$1/node_modules/@aws-sdk/client-cloudwatch" ] && return 0
  command -v npm >/dev/null || return 0
  mkdir -p "$1"
  npm install --prefix "$1" --no-audit --no-fund --silent @aws-sdk/client-sagemaker \
    @aws-sdk/client-sagemaker-runtime @aws-sdk/client-cloudwatch >"$2" 2>&1 || return 0
}
