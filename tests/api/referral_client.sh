#!/usr/bin/env bash
# The manual flow of the referral-code system's guide, with curl: URL, then the tokens of users A and B, then an
# operator's, who stands for the payment.
set -euo pipefail
api=$1 a=$2 b=$3 operator=$4
field() { python3 -c "import json, sys; print(json.load(sys.stdin)$1)"; }
code=$(curl -sf -X POST "$api/api/referral/generate-code" -H "Authorization: Bearer $a" | field "['code']")
curl -sf -X POST "$api/api/referral/track" -H "Authorization: Bearer $b" -H 'Content-Type: application/json' \
  -d "{\"referralCode\": \"$code\"}" | field "['message']"
who=$(cut -d. -f2 <<< "$b" | python3 -c "import base64, json, sys; t = sys.stdin.read().strip(); print(json.loads(base64.urlsafe_b64decode(t + '=='))['tid'])")
curl -sf -X POST "$api/api/referral/convert" -H "Authorization: Bearer $operator" -H 'Content-Type: application/json' \
  -d "{\"referredUserId\": \"$who\"}" | field "['message']"
sleep 2 # The figures follow a moment later.
test "$(curl -sf "$api/api/referral/stats" -H "Authorization: Bearer $a" | field "['convertedReferrals']")" = 1
reward=$(curl -sf "$api/api/referral/rewards" -H "Authorization: Bearer $a" | field "['items'][0]['id']")
curl -sf -X POST "$api/api/referral/claim-reward" -H "Authorization: Bearer $a" -H 'Content-Type: application/json' \
  -d "{\"rewardId\": \"$reward\"}" | field "['message']"
for page in "leaderboard?period=week&limit=10" "analytics?period=month" "trends?days=7"; do
  curl -sf "$api/api/referral/$page" -H "Authorization: Bearer $a" > /dev/null
done
echo "referral client: ok"
