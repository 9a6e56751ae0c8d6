#!/bin/sh
# A tour of the command that needs no account and sends nothing:
#
#   sh examples/command/tour.sh
#
# SAGEMAKER names the command where it is not on the path.
set -eu

sagemaker=${SAGEMAKER:-sagemaker}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export AWS_REGION=${AWS_REGION:-eu-west-1}
export AWS_ACCESS_KEY_ID=${AWS_ACCESS_KEY_ID:-AKIDEXAMPLE}
export AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY:-an-example-and-no-secret}

echo "# An example of the input, valid as it stands"
$sagemaker create-endpoint --generate-cli-skeleton >"$work/endpoint.json"
cat "$work/endpoint.json"

echo "# The request that it would be, with options winning over the file"
$sagemaker create-endpoint --cli-input-json "file://$work/endpoint.json" \
  --endpoint-name churn --endpoint-config-name churn-v2 \
  --tags Key=team,Value=growth Key=stage,Value=test \
  --strict --dry-run --query 'body.{name: EndpointName, config: EndpointConfigName, tags: Tags}'

echo "# Only what a script needs, as text"
name=$($sagemaker list-endpoints --generate-cli-skeleton output \
  --query 'Endpoints[0].EndpointName' --output text)
echo "first endpoint: $name"

echo "# The same answer for people, and with keys of your own"
$sagemaker list-endpoints --generate-cli-skeleton output --output table \
  --query 'Endpoints[].[EndpointName, EndpointStatus]'
$sagemaker list-endpoints --generate-cli-skeleton output --output yaml \
  --query 'sort_by(Endpoints, &CreationTime)[-1].{name: EndpointName, since: CreationTime}'

echo "# A mistake, and its exit code"
status=0
$sagemaker create-endpoint --endpoint-nmae churn 2>"$work/errors" || status=$?
cat "$work/errors"
[ "$status" -eq 252 ]

echo "# The bytes of a model's input, from a pipe"
printf '34,2,0.7' | $sagemaker runtime invoke-endpoint --endpoint-name churn --body - \
  --content-type text/csv answer.csv --dry-run --query '[url, body]' --output text
