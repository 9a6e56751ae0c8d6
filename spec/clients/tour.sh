# What a user of the AWS CLI does with endpoints, against the server at SIMULATOR_URL with AWS as the
# command. Prints a line for each thing that was seen, ends with "done"; ends early where something
# is not as it should be. Time stands still but for advance.
set -eu

aws () {
  command "$AWS" --endpoint-url "$SIMULATOR_URL" "$@"
}

sm () {
  aws sagemaker "$@"
}

advance () {
  curl -sSf -o /dev/null -X POST -d "{\"seconds\": $1}" "$SIMULATOR_URL/_simulator/advance"
}

is () {
  [ "$1" = "$2" ] && return
  echo "$1 is not $2" >&2
  exit 1
}

describe () {
  sm describe-endpoint --endpoint-name Churn --output text --query "$1"
}

refused () {
  text=$1
  shift
  if said=$("$@" 2>&1); then
    echo "not refused: $*" >&2
    exit 1
  fi
  case $said in
  *"$text"*) ;;
  *)
    echo "$said does not say $text" >&2
    exit 1
    ;;
  esac
}

config () {
  sm create-endpoint-config --endpoint-config-name "$1" --production-variants \
    "VariantName=AllTraffic,ModelName=churn-1,InstanceType=ml.m5.large,InitialInstanceCount=4" \
    >"$OUT"
}

sm create-model --model-name churn-1 --primary-container Image=1.dkr/x:1 \
  --execution-role-arn arn:aws:iam::123456789012:role/sagemaker >"$OUT"
config v1
config v2
sm create-endpoint --endpoint-name Churn --endpoint-config-name v1 \
  --tags Key=team,Value=growth >"$OUT"
is "$(describe EndpointStatus)" Creating
advance 300
sm wait endpoint-in-service --endpoint-name Churn
echo created

aws cloudwatch put-metric-alarm --alarm-name churn-5xx --namespace AWS/SageMaker \
  --metric-name Invocation5XXErrors --statistic Sum --period 60 --evaluation-periods 1 \
  --threshold 1 --comparison-operator GreaterThanOrEqualToThreshold --dimensions \
  Name=EndpointName,Value=Churn Name=VariantName,Value=AllTraffic
sm update-endpoint --endpoint-name Churn --endpoint-config-name v2 --deployment-config '{
  "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "CANARY",
    "WaitIntervalInSeconds": 600, "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1}}},
  "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "churn-5xx"}]}}' >"$OUT"
stage=PendingDeploymentSummary.ProductionVariants[0].VariantStatus[0].Status
is "$(describe $stage)" Creating
advance 301
is "$(describe $stage)" Baking
refused "Cannot update in-progress endpoint" sm delete-endpoint --endpoint-name Churn
aws cloudwatch set-alarm-state --alarm-name churn-5xx --state-value ALARM --state-reason drill
is "$(aws cloudwatch describe-alarms --output text --query 'MetricAlarms[0].StateReason')" drill
advance 30
sm wait endpoint-in-service --endpoint-name Churn
is "$(describe EndpointConfigName)" v1
is "$(describe FailureReason)" "Alarm churn-5xx is in state ALARM."
echo "rolled back"

aws sagemaker-runtime invoke-endpoint --endpoint-name churn --body MSwyLDM= "$OUT" >/dev/null
grep -q '"config":"v1"' "$OUT"
for i in 1 2 3; do config page-$i; done
is "$(sm list-endpoint-configs --name-contains page --page-size 2 --sort-by Name --output json \
  --query 'length(EndpointConfigs)')" 3
arn=$(describe EndpointArn)
sm add-tags --resource-arn "$arn" --tags Key=a,Value=1 >"$OUT"
is "$(sm list-tags --resource-arn "$arn" --output text --query 'Tags[].Key|sort(@)|join(`-`,@)')" \
  a-team
sm delete-tags --resource-arn "$arn" --tag-keys a
refused "(ValidationException)" sm describe-endpoint --endpoint-name none
refused "(NotSimulated)" sm list-trials
(
  export AWS_SECRET_ACCESS_KEY=wrong
  refused "(InvalidSignatureException)" sm list-models
)
is "$(aws sts get-caller-identity --output text --query Account)" 123456789012
echo "invoked, listed, tagged, refused"

sm delete-endpoint --endpoint-name Churn
advance 30
sm wait endpoint-deleted --endpoint-name Churn
sm delete-endpoint-config --endpoint-config-name v1
sm delete-model --model-name churn-1
aws cloudwatch delete-alarms --alarm-names churn-5xx
echo deleted
echo done
