#!/usr/bin/env bash
# Checks template.yaml: cfn-lint, `sam validate --lint`, then our own rules. Needs no AWS account and no region set.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$(infra/lint/venv.sh lint)
export AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-eu-central-1} AWS_EC2_METADATA_DISABLED=true SAM_CLI_TELEMETRY=0

echo "cfn-lint"
"$bin/cfn-lint" template.yaml
echo "sam validate --lint"
# The folder first on the path, because sam starts cfn-lint by name.
PATH=$bin:$PATH "$bin/sam" validate --lint --template template.yaml
echo "infra/lint/template.py"
"$bin/python" infra/lint/template.py template.yaml
