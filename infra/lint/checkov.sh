#!/usr/bin/env bash
# Runs checkov over template.yaml and over what SAM makes of it: each shows it something that the other hides.
set -euo pipefail
cd "$(dirname "$0")/../.."
lint=$(infra/lint/venv.sh lint)
checkov=$(infra/lint/venv.sh checkov)
mkdir -p .cache
AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-eu-central-1} "$lint/python" infra/lint/transform.py template.yaml >.cache/transformed.json

for template in template.yaml .cache/transformed.json; do
    echo "checkov $template"
    "$checkov/checkov" --file "$template" --framework cloudformation secrets --skip-download --compact --quiet
done
