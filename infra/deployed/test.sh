#!/usr/bin/env bash
# Deploys the template, overlaid, and drives the referral loop through it.
#
# Usage: emulator.sh test.sh FUNCTIONS SIMULATOR journey                  four stacks: a friend, calm, storm, ott
#        emulator.sh test.sh FUNCTIONS SIMULATOR failures                 one stack, and everything that it needs breaks
#        emulator.sh test.sh FUNCTIONS SIMULATOR policies [FUNCTION...]   two stacks, less one action at a time
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -ge 3 ] || { sed -n '4,6p' "$0" >&2; exit 2; }
functions=$1
export GUERDON_SIMULATOR=$2
what=$3
shift 3
python=$(infra/lint/venv.sh deployed)/python
sam=$(infra/lint/venv.sh build)/sam
export SAM_CLI_TELEMETRY=0 PYTHONDONTWRITEBYTECODE=1
# Made up, for the functions and the simulator.
export TELEGRAM_BOT_TOKEN=100000001:simulated TELEGRAM_WEBHOOK_SECRET=telegram-webhook-secret
export STRIPE_API_KEY=sk_test_simulated STRIPE_WEBHOOK_SECRET=whsec_simulated
export ADMIN_TOKEN=deployed-admin-token GUERDON_PSEUDONYM_KEY=0123456789abcdef0123456789abcdef
export GUERDON_TOKEN_KEY=deployed-token-key-0123456789abcdef SUPER_ADMIN_PASSWORD=elephant-Moon7
export SUPER_ADMIN_TELEGRAM_ID=7000000001

case $(uname -m) in
x86_64) architecture=x86_64 ;;
aarch64 | arm64) architecture=arm64 ;;
*) echo "test.sh: no Lambda runs on $(uname -m)" >&2; exit 1 ;;
esac

deploy() {
    local stack=$1 simulator=$2 overlaid=$GUERDON_DEPLOYED/$1.json log=$GUERDON_DEPLOYED/$1.log preset=bitten
    [ "${stack##*-}" != ott ] || preset=ott
    "$python" infra/deployed/overlay.py template.yaml "$functions" "$simulator" "$visibility_seconds" >"$overlaid"
    "$sam" deploy --template-file "$overlaid" --stack-name "$stack" --region "$AWS_REGION" --resolve-s3 \
        --capabilities CAPABILITY_IAM --no-confirm-changeset --no-progressbar --parameter-overrides \
        "Architecture=$architecture" "Preset=$preset" "SecretsPrefix=/guerdon/$stack/" LogLevel=debug StripeMode=test \
        "SuperAdminTelegramId=$SUPER_ADMIN_TELEGRAM_ID" >"$log" 2>&1 ||
        { tail -n 40 "$log" >&2; return 1; }
    echo "     deployed $stack"
}

visibility_seconds=10
case $what in
journey) stacks=(guerdon-friend guerdon-calm guerdon-storm guerdon-ott) ;;
failures) stacks=(guerdon-failures) visibility_seconds=3 ;;
policies) stacks=(guerdon-policies guerdon-ott) ;;
*) echo "test.sh: journey, failures or policies, not $what" >&2; exit 2 ;;
esac
worlds=()
for stack in "${stacks[@]}"; do
    port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    deploy "$stack" "http://127.0.0.1:$port"
    worlds+=("$stack=http://127.0.0.1:$port")
done
"$python" "infra/deployed/$what.py" "$GUERDON_DEPLOYED" "${worlds[@]}" "$@"
