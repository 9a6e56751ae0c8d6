#!/bin/sh
# A release by canary from a script: planned, deployed, and once rolled back by
# an alarm. It runs on a simulator of its own, whose time moves by 20 seconds
# with every look, and needs no account. SAGEMAKER names another command. The
# simulator needs nginx with its Lua module, and the library built for LuaJIT.

set -eu
sagemaker=${SAGEMAKER:-sagemaker}
log=$(mktemp)

$sagemaker simulate --port 0 --clock virtual --step 20 >"$log" &
simulator=$!
trap 'kill $simulator 2>/dev/null || true; wait $simulator || true; rm -f "$log"' EXIT

# The simulator says where it answers; it is there in a moment.
tries=100
until url=$(grep -o -m 1 'http://[0-9.]*:[0-9]*' "$log"); do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || { cat "$log"; exit 1; }
  sleep 0.1
done
export AWS_ENDPOINT_URL="$url" AWS_REGION=us-east-1
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test

alarm () {
  curl -s -o /dev/null -X POST "$url/_simulator/alarms/churn-5xx" -d "{\"state\": \"$1\"}"
}

# What a release needs before: a model, and a configuration for each version.
$sagemaker create-model --output off --model-name churn \
  --execution-role-arn arn:aws:iam::123456789012:role/sagemaker \
  --primary-container Image=123456789012.dkr.ecr.us-east-1.amazonaws.com/churn:1
for version in v1 v2 v3; do
  $sagemaker create-endpoint-config --output off --endpoint-config-name "churn-$version" \
    --production-variants \
    VariantName=main,ModelName=churn,InstanceType=ml.m5.large,InitialInstanceCount=4
done
alarm OK

# deploy VERSION: ends with the exit status of the command.
deploy () {
  $sagemaker deploy --endpoint-name churn --endpoint-config-name "churn-$1" \
    --canary 25% --bake 5m --alarms churn-5xx --delay 0.02 --max-delay 0.02
}

echo "== the first release creates the endpoint"
deploy v1

echo "== what the next one will do"
$sagemaker plan --endpoint-name churn --endpoint-config-name churn-v2 \
  --canary 25% --bake 5m --alarms churn-5xx

echo "== the next one"
deploy v2

echo "== one that goes wrong while the canary bakes"
{ deploy v3 || echo "exit status $?"; } | while read -r line; do
  echo "$line"
  case $line in *"baking 1/2"*) alarm ALARM ;; esac
done

echo "== and what runs now"
$sagemaker describe-endpoint --endpoint-name churn --query EndpointConfigName --output text
