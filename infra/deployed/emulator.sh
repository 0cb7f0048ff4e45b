#!/usr/bin/env bash
# Runs a command beside an emulator of AWS on this machine that enforces IAM. Nothing of it reaches AWS, and nothing of
# it is left behind.
#
# Usage: emulator.sh COMMAND [ARGUMENT...]
#
# The command finds it under AWS_ENDPOINT_URL, and a folder for its own files under GUERDON_DEPLOYED. The emulator's log
# is shown when the command fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || { sed -n '5p' "$0" >&2; exit 2; }
bin=$(infra/lint/venv.sh deployed)

GUERDON_DEPLOYED=$(mktemp -d)
emulator=
stop() {
    local status=$?
    # The group: the functions' processes are the emulator's children, and it leaves them behind.
    [ -z "$emulator" ] || { kill -- "-$emulator" 2>/dev/null || true; wait "$emulator" 2>/dev/null || true; }
    [ "$status" = 0 ] || tail -n "${GUERDON_LOG_LINES:-60}" "$GUERDON_DEPLOYED/emulator.log" >&2
    rm -rf "$GUERDON_DEPLOYED"
    exit "$status"
}
trap stop EXIT
trap 'exit 130' INT TERM

port=$("$bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
unset AWS_PROFILE AWS_SESSION_TOKEN
export GUERDON_DEPLOYED
export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_REGION=eu-central-1 AWS_DEFAULT_REGION=eu-central-1
# The emulator's root. Files with real credentials are out of reach.
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost

mkdir "$GUERDON_DEPLOYED/tmp"
# Without the endpoint in its own environment it leaves the functions theirs.
AUTH=true BIND_HOST=127.0.0.1 MINISTACK_HOST=localhost GATEWAY_PORT=$port MINISTACK_REGION=$AWS_REGION \
    IOT_MTLS_ENABLED=0 SFTP_ENABLED=0 TMPDIR=$GUERDON_DEPLOYED/tmp \
    setsid env --unset=AWS_ENDPOINT_URL "$bin/ministack" >"$GUERDON_DEPLOYED/emulator.log" 2>&1 &
emulator=$!
for _ in $(seq 120); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
    kill -0 "$emulator" 2>/dev/null || { echo "emulator.sh: the emulator does not start" >&2; exit 1; }
    sleep 0.25
done

"$@"
