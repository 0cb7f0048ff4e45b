#!/usr/bin/env bash
# Checks the dependencies by deny.toml: licences, bans and sources, and the advisories of RustSec. The first run builds
# cargo-deny into .cache/, unless it is installed. Advisories need the network: without it the script says that they were
# not checked, and fails only with ADVISORIES=required.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=0.20.2
tools=$PWD/.cache/cargo-deny-$version
export PATH=$PATH:$tools/bin

if ! command -v cargo-deny >/dev/null; then
    echo "Building cargo-deny $version into .cache/" >&2
    cargo install --quiet --debug --locked --root "$tools" --version "$version" cargo-deny
fi

echo "licences, bans, sources"
cargo deny --log-level warn check --hide-inclusion-graph licenses bans sources

if cargo deny --log-level error fetch db; then
    echo "advisories"
    cargo deny --log-level warn check --disable-fetch advisories
else
    echo "ADVISORIES WERE NOT CHECKED: the advisory database cannot be reached from here." >&2
    [ "${ADVISORIES:-}" != required ]
fi
