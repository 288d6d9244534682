#!/bin/sh
# Runs one of the project's scripts on the Node that belongs to it, after setting up node_modules where needed.
# Plain POSIX, as the machine's own Node may be older than the project can use.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
stamp=node_modules/.installed-lock
if [ ! -x node_modules/.bin/node ] || ! cmp -s package-lock.json "$stamp"; then
  echo 'setting up: npm ci (once)' >&2
  # A home that cannot be written to is no obstacle: npm's cache goes elsewhere.
  if [ -z "${npm_config_cache:-}" ] || [ ! -w "$(dirname "$npm_config_cache")" ]; then
    [ -w "${HOME:-/nonexistent}" ] || export npm_config_cache="${TMPDIR:-/tmp}/musicfs-npm-cache"
  fi
  # No package of ours needs an install script: what is native comes prebuilt.
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  cp package-lock.json "$stamp"
fi
PATH="$root/node_modules/.bin:$PATH"
export PATH
exec node --disable-warning=ExperimentalWarning "$@"
