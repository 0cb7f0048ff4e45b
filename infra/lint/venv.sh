#!/usr/bin/env bash
# Prints the bin folder of a virtual environment with the tools of requirements-NAME.txt, made in .venv/NAME on first
# use. Once made it needs no network.
#
# Usage: venv.sh lint|build|checkov
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
requirements=$root/infra/lint/requirements-$1.txt
venv=$root/.venv/$1

if cmp --silent "$requirements" "$venv/requirements.txt"; then
    echo "$venv/bin"
    exit
fi

find_python() {
    local python
    for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        if "$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 15))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    echo "venv.sh: needs Python 3.10 to 3.14" >&2
    return 1
}

# Debian and Ubuntu ship Python without its venv module.
install_venv_module() {
    local as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo --non-interactive)
    command -v apt-get >/dev/null || return 1
    "${as_root[@]}" apt-get update -qq && "${as_root[@]}" apt-get install -qq -y python3-venv
}

# The last way out needs pip only.
make_with_virtualenv() {
    local packages=$root/.cache/virtualenv
    "$1" -m pip install --quiet --target "$packages" virtualenv && PYTHONPATH=$packages "$1" -m virtualenv "$venv"
}

python=$(find_python)
{
    rm -rf "$venv"
    "$python" -m venv "$venv" || {
        rm -rf "$venv"
        { install_venv_module && "$python" -m venv "$venv"; } || make_with_virtualenv "$python"
    }
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
    # Last, so that an interrupted installation is done again.
    cp "$requirements" "$venv/requirements.txt"
} >&2
echo "$venv/bin"
