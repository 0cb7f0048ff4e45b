#!/usr/bin/env bash
# schemathesis over the served OpenAPI document, with each kind of credential, against a stack in memory.
#   tests/api/schemathesis.sh [GUERDON] [more options of schemathesis]
set -euo pipefail
cd "$(dirname "$0")/../.."
guerdon=${1:-target/release/guerdon}; shift || true
venv=target/schemathesis
[ -x "$venv/bin/schemathesis" ] || { python3 -m venv "$venv"; "$venv/bin/pip" install -q 'schemathesis==4.32.5'; }
port=${PORT:-18080} token=token-for-schemathesis url=http://127.0.0.1:${PORT:-18080}
export GUERDON_DATA=:memory: GUERDON_PRESET=ott GUERDON_PORT=$port ADMIN_TOKEN=$token GUERDON_LOG=error
export GUERDON_ADMIN_CALLS_PER_MINUTE=100000 GUERDON_SERVICE_CALLS_PER_MINUTE=100000 GUERDON_MEMBER_CALLS_PER_MINUTE=100000
"$guerdon" > target/schemathesis.log 2>&1 & stack=$!
trap 'kill $stack 2>/dev/null || true' EXIT
for _ in $(seq 100); do curl -sf "$url/openapi.json" > /dev/null && break; sleep 0.1; done
call() { curl -sf -X "$1" "$url$2" -H "$3" -H 'Content-Type: application/json' -d "$4"; }
field() { python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }
scopes='"users:read","users:write","orders:read","orders:write","wallets:read","withdrawals:write","referrals:read","referrals:write","tokens:write"'
key=$(call POST /api/admin/service-keys "X-Admin-Token: $token" "{\"name\":\"schemathesis\",\"scopes\":[$scopes]}" | field key)
# A member and an order to find: otherwise most fuzzed calls would end at 404.
call POST /users/create "Authorization: Bearer $key" '{"telegram_id":1,"first_name":"Ann"}' > /dev/null
order=$(call POST /orders/create "Authorization: Bearer $key" '{"user_id":1,"payment_method":"upi","transaction_id":"T1"}' | field order_id)
call POST "/orders/$order/payment-success" "Authorization: Bearer $key" '{}' > /dev/null
member=$(call POST /api/members/1/token "Authorization: Bearer $key" '{}' | field access_token)
failed=0
# One credential a call: each run uses only its own credential of a route, or it would send two.
run() {
  local way=$1; shift
  curl -sf "$url/openapi.json" | python3 -c '
import json, sys
document, way = json.load(sys.stdin), sys.argv[1]
for item in document["paths"].values():
    for operation in item.values():
        operation["security"] = [one for one in operation["security"] if way in one]
json.dump(document, sys.stdout)' "$way" > "target/openapi-$way.json"
  "$venv/bin/schemathesis" --config-file tests/api/schemathesis.toml run "target/openapi-$way.json" --url "$url" "$@" || failed=1
}
run service_key -H "Authorization: Bearer $key" --include-path-regex '^/(users|orders|wallet|withdrawals/create|api/members|api/referral/(leaderboard|analytics|trends|convert))' "${@}"
run member_token -H "Authorization: Bearer $member" --include-path-regex '^/api/referral/(generate|track|stats|rewards|claim)' "${@}"
run anonymous --include-path-regex '^/(r/|openapi|docs)' "${@}"
# Last, because it revokes the service's key and bars its member.
run admin_token -H "X-Admin-Token: $token" --include-path-regex '^/(api/admin|admin|withdrawals/admin|withdrawals/\{|fraud|settings)' "${@}"
exit $failed
