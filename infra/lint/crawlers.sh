#!/usr/bin/env bash
# Renews the list of words in the user agents of programs from the package crawler-user-agents. Needs npm and jq.
set -euo pipefail
list=$(cd "$(dirname "$0")/../.." && pwd)/shared/domain/src/referrals/crawlers.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
package=$(npm pack --silent crawler-user-agents)
tar xzf "$package"
version=$(jq -r .version package/package.json)
sed -n '/^#/p' "$list" | sed "1s/crawler-user-agents [0-9.]*/crawler-user-agents $version/" > renewed
# Plain words only: expressions would need an engine. The words of `program.rs` are left out.
jq -r '.[].pattern
  | select(gsub("\\\\.";"") | test("[.^$*+?()\\[\\]{}|]") | not)
  | gsub("\\\\(?<c>.)"; .c)
  | select(test("bot|crawl|spider|preview|://"; "i") | not)' package/crawler-user-agents.json | LC_ALL=C sort -u >> renewed
cp renewed "$list"
echo "$(grep -vc '^#' "$list") words of crawler-user-agents $version"
