#!/bin/sh
# A canary deployment on a simulated SageMaker, rolled back by an alarm; everything through HTTP.
# Needs nginx with its Lua module. Run it from the top of the project:
#
#   sh examples/simulator/server.sh
set -eu
sagemaker="${SAGEMAKER:-lua5.4 lua/sagemaker/cli/main.lua}"
dir=$(mktemp -d)
$sagemaker simulate --port 0 --clock virtual >"$dir/said" 2>&1 &
server=$!
trap 'kill $server; wait $server || true; rm -rf "$dir"' EXIT

until url=$(grep -o -m1 'http://[0-9.:]*' "$dir/said"); do
  kill -0 $server 2>/dev/null || { cat "$dir/said" >&2; trap - EXIT; exit 1; }
  sleep 0.1
done
export AWS_ENDPOINT_URL="$url" AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=test
export AWS_SECRET_ACCESS_KEY=test

say () {
  $sagemaker "$@" >/dev/null
}

advance () {
  curl -sSf -o /dev/null -X POST -d "{\"seconds\": $1}" "$url/_simulator/advance"
}

describe () {
  $sagemaker describe-endpoint --endpoint-name churn --output text \
    --query '[EndpointStatus, EndpointConfigName, FailureReason]'
}

say create-model --model-name churn --primary-container Image=churn:1 \
  --execution-role-arn arn:aws:iam::123456789012:role/sagemaker
for config in v1 v2; do
  say create-endpoint-config --endpoint-config-name $config --production-variants \
    VariantName=AllTraffic,ModelName=churn,InstanceType=ml.m5.large,InitialInstanceCount=4
done
say create-endpoint --endpoint-name churn --endpoint-config-name v1
advance 300
describe

say update-endpoint --endpoint-name churn --endpoint-config-name v2 --deployment-config '{
  "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "CANARY",
    "WaitIntervalInSeconds": 600, "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1}}},
  "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "churn-5xx"}]}}'
advance 400
describe

curl -sSf -o /dev/null -X POST -d '{"state": "ALARM"}' "$url/_simulator/alarms/churn-5xx"
describe
advance 30
describe
