#!/usr/bin/env bash
# Builds each function for this machine, and the simulator, without what only makes binaries small. Prints two paths:
# the folder with <function>/bootstrap and the simulator.
#
# GUERDON_FUNCTIONS names a folder with binaries that are to be used as they are: after `make build ARCH=x86_64`, say
# GUERDON_FUNCTIONS=target/lambda.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
folder=${GUERDON_FUNCTIONS:-}

cargo build --release --package guerdon-simulator --example outside_world >&2
if [ -z "$folder" ]; then
    folder=$target/deployed
    packages=()
    for manifest in functions/*/Cargo.toml; do packages+=(--package "$(basename "$(dirname "$manifest")")"); done
    cargo build --release "${packages[@]}" --bins >&2
    for manifest in functions/*/Cargo.toml; do
        function=$(basename "$(dirname "$manifest")")
        mkdir -p "$folder/$function"
        strip -o "$folder/$function/bootstrap" "$target/release/$function"
    done
fi
echo "$folder" "$target/release/examples/outside_world"
