#!/usr/bin/env bash
# Clients written for the two documented APIs, against the stack: they know nothing of us but an address.
#   tests/api/clients.sh [GUERDON]
set -euo pipefail
cd "$(dirname "$0")/../.."
guerdon=${1:-target/release/guerdon} venv=target/api-clients
[ -x "$venv/bin/python" ] || { python3 -m venv "$venv"; "$venv/bin/pip" install -q 'requests==2.32.5'; }
home=$(mktemp -d); trap 'kill $stack 2>/dev/null || true; rm -rf "$home"' EXIT
token=token-for-the-clients
start() {
  GUERDON_DATA=:memory: GUERDON_PRESET=$1 GUERDON_PORT=$2 ADMIN_TOKEN=$token GUERDON_LOG=error "$guerdon" > "$home/$1.log" 2>&1 & stack=$!
  for _ in $(seq 100); do curl -sf "http://127.0.0.1:$2/openapi.json" > /dev/null && return; sleep 0.1; done
}
key() {
  curl -sf -X POST "http://127.0.0.1:$1/api/admin/service-keys" -H "X-Admin-Token: $token" -d \
    '{"name":"client","scopes":["users:read","users:write","orders:read","orders:write","wallets:read","referrals:write","tokens:write"]}' \
    | python3 -c "import json, sys; print(json.load(sys.stdin)['key'])"
}
start ott 18081
printf 'machine 127.0.0.1 login %s password unused\n' "$(key 18081)" > "$home/.netrc"; chmod 600 "$home/.netrc"
HOME=$home "$venv/bin/python" tests/api/ott_client.py http://127.0.0.1:18081
kill $stack
start trollz 18082
service=$(key 18082)
of() { curl -sf -X POST "http://127.0.0.1:18082/api/members/$1/token" -H "Authorization: Bearer $service" | python3 -c "import json, sys; print(json.load(sys.stdin)['access_token'])"; }
bash tests/api/referral_client.sh http://127.0.0.1:18082 "$(of 601)" "$(of 602)" "$service"
