#!/usr/bin/env bash
# Nightshift's one entry, on a machine of its own and in the container.
#
# On a machine it finds a Python, keeps an environment in .venv beside it, and hands every word on to the app.
# In the container the image brings the environment (NIGHTSHIFT_PYTHON); there, root only takes over the data
# folder and steps down. What is said about setting up goes to standard error: standard output is the command's.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
venv=$here/.venv

usage() {
  cat <<'TEXT'
Nightshift learns a home's habits overnight and suggests automations.

  ./run.sh demo            a night over an invented home, then the page
  ./run.sh analyze …       mine a recorder copy, a history download or the hub; --help says how
  ./run.sh serve           the app itself: the clock, the page, MQTT
  ./run.sh run JOB         one job now
  ./run.sh jobs            the jobs and when they ran
  ./run.sh check           what is wrong with the options and the neighbours, and how to mend it
  ./run.sh export FILE     everything in one file, to move it to another machine
  ./run.sh import FILE     what export wrote, put in the place of what is here
  ./run.sh backup begin    keep the database still while the data folder is copied; then: backup end
  ./run.sh test            set up and pass all tests (more words go to pytest)
TEXT
}

give_up() {
  echo "nightshift: $1" >&2
  exit 2
}

# Prints the first Python that is new enough and can make environments.
find_python() {
  local name seen=''
  for name in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3.14 python3; do
    # Asking it beats looking for it: a version manager's shim may exist and still refuse.
    "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
    if "$name" -c 'import ensurepip, venv' >/dev/null 2>&1; then
      echo "$name"
      return
    fi
    seen=$name
  done
  [ -z "$seen" ] || give_up "$seen cannot make environments: install its venv module (Debian: apt install python3-venv)"
  give_up "no Python 3.11 or newer found: install one, or name it with PYTHON=/path/to/python3"
}

# Makes the environment fit for the extra number $1 (0 none, 1 demo, 2 test); does nothing if it is.
set_up() {
  local wanted=$1 have=0 stamp=$venv/nightshift.stamp known='' print python
  local extras=('' '[demo]' '[test]')
  if command -v flock >/dev/null; then # one at a time; macOS has no flock and goes on without
    exec 9<"$here"
    flock 9
  fi
  print="$here $(cat "$here/pyproject.toml" "$here/constraints.txt" | cksum)"
  if "$venv/bin/python" -c 'import pip' 2>/dev/null; then
    [ ! -f "$stamp" ] || { read -r have && IFS= read -r known; } <"$stamp"
  else
    python=$(find_python)
  fi
  if [ "$known" != "$print" ] || [ "$have" -lt "$wanted" ]; then
    [ "$have" -gt "$wanted" ] && wanted=$have
    echo "Setting up (first time only)…" >&2
    rm -f "$stamp"
    if [ -n "${python:-}" ]; then
      "$python" -m venv --clear "$venv" >&2 || give_up "$python could not make $venv"
    fi
    (cd "$here" && "$venv/bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
      --constraint constraints.txt --editable ".${extras[wanted]}") >&2 ||
      { echo "nightshift: setting up failed (above: why); mend it and say the same again" >&2 && exit 1; }
    printf '%s\n%s\n' "$wanted" "$print" >"$stamp"
  fi
  exec 9<&-
}

# Replaces this shell by the image's Python: as `nightshift` if we are root and the data folder lets us.
become() {
  local data=${NIGHTSHIFT_DATA:-/data}
  if [ "$(id -u)" = 0 ] && id nightshift >/dev/null 2>&1; then
    # The hub writes options.json as root, for root alone, at every start; a restored backup is root's too.
    if mkdir -p "$data" 2>/dev/null && chown -R nightshift:nightshift "$data" 2>/dev/null; then
      exec setpriv --reuid nightshift --regid nightshift --clear-groups --no-new-privs -- "$@"
    fi
    echo "nightshift: $data cannot be given to the user nightshift; going on as root" >&2
  fi
  exec "$@"
}

# The folder we are called from may hold an `app` of its own; only ours is meant, also in worker processes.
export PYTHONSAFEPATH=1

case ${1:-} in
  '')
    usage >&2
    exit 2
    ;;
  help | -h | --help)
    usage
    exit 0
    ;;
esac

if [ -n "${NIGHTSHIFT_PYTHON:-}" ]; then
  export PYTHONPATH=$here
  become "$NIGHTSHIFT_PYTHON" -m app "$@"
fi

case $1 in
  test)
    set_up 2
    cd "$here"
    shift
    unset PYTHONSAFEPATH # tests start programs of their own, from here
    exec "$venv/bin/python" -m pytest "$@"
    ;;
  demo) set_up 1 ;;
  *) set_up 0 ;;
esac
exec "$venv/bin/python" -m app "$@"
