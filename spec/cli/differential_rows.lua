--- Command lines for the differential spec: {id, words, answer or answers, …}.
--
-- `words` are as in a shell: spaces part them, single quotes hold them together. A row may have
-- `files` (name = text, in the folder where the command runs), `read` (files to compare then),
-- `env`, and `differs`: what is different on purpose (request, rc, stdout, stderr), and why.

local odd = require "cli.differential_odd_rows"

local M = {}

local function answer(body, status, headers)
  headers = headers or {}
  headers["Content-Type"] = headers["Content-Type"] or "application/x-amz-json-1.1"
  return { status = status or 200, headers = headers, body = body }
end

local ENDPOINT = answer [[{"CreationTime": 1768480496.789, "EndpointArn":
  "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/churn", "EndpointConfigName": "churn-v1",
  "EndpointName": "churn", "EndpointStatus": "Updating", "LastModifiedTime": 1768484096,
  "FailureReason": "The é of 日本: \"quoted\"\nand a second line", "Unknown": {"a": 1},
  "LastDeploymentConfig": {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "churn-5xx"},
    {"AlarmName": "churn-latency"}]}, "BlueGreenUpdatePolicy": {"MaximumExecutionTimeoutInSeconds":
    1800, "TerminationWaitInSeconds": 0, "TrafficRoutingConfiguration": {"CanarySize": {"Type":
    "CAPACITY_PERCENT", "Value": 10}, "Type": "CANARY", "WaitIntervalInSeconds": 300}}},
  "ProductionVariants": [{"CurrentInstanceCount": 2, "CurrentWeight": 1.0, "DeployedImages":
    [{"ResolutionTime": 1768480500.123456, "ResolvedImage": "i@sha256:1", "SpecifiedImage": "i:1"}],
    "DesiredInstanceCount": 2, "DesiredWeight": 1, "VariantName": "A", "VariantStatus": []},
    {"CurrentWeight": 0.25, "VariantName": "B"}], "DataCaptureConfig": null}]]

local ENDPOINTS = answer [[{"Endpoints": [
  {"CreationTime": 1768480496.0, "EndpointArn": "arn:1", "EndpointName": "a", "EndpointStatus":
   "InService", "LastModifiedTime": 1768480496.5},
  {"CreationTime": 1700000000, "EndpointArn": "arn:2", "EndpointName": "b", "EndpointStatus":
   "Creating", "LastModifiedTime": 1700000000.000001}]}]]

local PAGES = {
  answer [[{"Endpoints": [{"EndpointName": "a", "EndpointStatus": "InService"},
    {"EndpointName": "b", "EndpointStatus": "Failed"}], "NextToken": "t1"}]],
  answer [[{"Endpoints": [{"EndpointName": "c", "EndpointStatus": "InService"}, {"EndpointName":
    "d"}], "NextToken": "t2"}]],
  answer [[{"Endpoints": [{"EndpointName": "e", "EndpointStatus": "Updating"}]}]],
}

local MODEL = answer [[{"ModelName": "m", "ModelArn": "arn:m", "CreationTime": 1768480496.789,
  "EnableNetworkIsolation": false, "ExecutionRoleArn": "arn:aws:iam::111122223333:role/r",
  "PrimaryContainer": {"Environment": {"ZED": "1", "ALPHA": "two words", "MID": "", "ünï": "ß"},
    "Image": "img:1", "Mode": "SingleModel"}, "Containers": []}]]

local JOB = answer [[{"TrainingJobName": "j", "TrainingJobArn": "arn:j", "HyperParameters":
  {"lr": "0.1", "epochs": "3", "batch": "32"}, "TrainingTimeInSeconds": 3600,
  "BillableTimeInSeconds": 1e3, "EnableManagedSpotTraining": true, "FinalMetricDataList": [
  {"MetricName": "loss", "Timestamp": 1768480496.25, "Value": 0.125}, {"MetricName": "acc",
  "Timestamp": 1768480497, "Value": 1},
  {"MetricName": "tiny", "Timestamp": 1768480498.0, "Value": 1e-07}, {"MetricName": "huge",
  "Timestamp": 0, "Value": 1E+20}, {"MetricName": "whole", "Timestamp": -1.5, "Value": 3.0}],
  "SecondaryStatusTransitions": [{"EndTime": 1768480496.999999, "StartTime": 1768480000.1, "Status":
  "Starting", "StatusMessage": ""}, {"StartTime": 1768480500, "Status": "Downloading"}],
  "StoppingCondition": {"MaxRuntimeInSeconds": 86400}, "TrainingJobStatus": "Completed",
  "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType":
  "S3Prefix", "S3Uri": "s3://b/p", "AttributeNames": ["x", "y"]}}, "ShuffleConfig": {"Seed":
  9007199254740991}}]}]]

local TAGS = answer [[{"Tags": [{"Key": "team", "Value": "growth"}, {"Key": "empty", "Value": ""},
  {"Key": "yes", "Value": "true"}, {"Key": "long", "Value":
  "a value that is longer than most and goes on until the line of a table would be too wide"}]}]]

local CREATED = answer [[{"EndpointArn": "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/e"}]]
local NOTHING = answer("", 200, { ["Content-Type"] = "text/plain" })
local EMPTY = answer "{}"
local ARN = answer [[{"ModelArn": "arn:m", "EndpointConfigArn": "arn:c", "PipelineArn": "arn:p",
  "ArtifactArn": "arn:a", "MonitoringScheduleArn": "arn:s", "CompilationJobArn": "arn:j",
  "TransformJobArn": "arn:t", "AutoMLJobArn": "arn:b"}]]

local function refused(code, message, status, headers)
  return answer(('{"__type": "%s", "message": "%s"}'):format(code, message), status or 400, headers)
end

local MISSING = refused("ValidationException", "Could not find endpoint \\\"arn:x\\\".")

local CREATE = "create-endpoint --endpoint-name e --endpoint-config-name c "
local CONFIG = "create-endpoint-config --endpoint-config-name c --production-variants "

-- What is sent.
local SENT = {
  { "plain", "describe-endpoint --endpoint-name my-endpoint", ENDPOINT },
  { "equals", "describe-endpoint --endpoint-name=my-endpoint", ENDPOINT },
  { "number", "describe-endpoint --endpoint-name 123", ENDPOINT },
  { "twice", "describe-endpoint --endpoint-name a --endpoint-name b", ENDPOINT },
  { "region", "describe-endpoint --endpoint-name x --region us-east-2", ENDPOINT },
  { "unsigned", "describe-endpoint --endpoint-name x --no-sign-request", ENDPOINT },
  { "token", "describe-endpoint --endpoint-name x", ENDPOINT, env = { AWS_SESSION_TOKEN = "T" } },
  { "profile", "describe-endpoint --endpoint-name x --profile p", ENDPOINT,
    files = { config = "[profile p]\nregion = us-west-1\naws_access_key_id = AKP\n"
      .. "aws_secret_access_key = s\n" }, env = { AWS_CONFIG_FILE = "config" } },
  { "unicode", "describe-endpoint --endpoint-name 'é 日本 😀'", ENDPOINT },
  { "json-list", CREATE .. [==[--tags '[{"Key":"a","Value":"b"}]']==], CREATED },
  { "json-object", CREATE .. [[--tags '{"Key":"a","Value":"b"}']], CREATED },
  { "json-words", CREATE .. [[--tags '{"Key":"a","Value":"b"}' '{"Key":"c","Value":"d"}']],
    CREATED },
  { "json-empty", CREATE .. "--tags '[]'", CREATED },
  { "shorthand", CREATE .. "--tags Key=a,Value=b Key=c,Value=d", CREATED },
  { "shorthand-escape", CREATE .. [[--tags 'Key=a,Value=x\,y']], CREATED },
  { "shorthand-quotes", CREATE .. [[--tags 'Key="a b",Value="x,y=z"' Key=c,Value=it\'s]], CREATED },
  { "shorthand-empty", CREATE .. "--tags Key=a,Value=", CREATED },
  { "shorthand-spaces", CREATE .. "--tags 'Key = a , Value = b c'", CREATED },
  { "shorthand-equals", CREATE .. "--tags Key=a,Value=b=c", CREATED },
  { "file", CREATE .. "--tags file://t.json", CREATED,
    files = { ["t.json"] = '[{"Key": "f", "Value": "é"}]\n' } },
  { "file-shorthand", CREATE .. "--tags file://t.txt", CREATED,
    files = { ["t.txt"] = "Key=a,Value=b" }, differs = { all = "a file may hold shorthand" } },
  { "deep-shorthand", CREATE .. "--deployment-config 'BlueGreenUpdatePolicy={"
    .. "TrafficRoutingConfiguration={Type=CANARY,WaitIntervalInSeconds=60,CanarySize={Type="
    .. "CAPACITY_PERCENT,Value=10}},TerminationWaitInSeconds=5},AutoRollbackConfiguration={Alarms="
    .. "[{AlarmName=a},{AlarmName=b}]}'", CREATED },
  { "deep-json", CREATE .. [[--deployment-config '{"BlueGreenUpdatePolicy": {
    "TrafficRoutingConfiguration": {"Type": "LINEAR", "WaitIntervalInSeconds": 60, "LinearStepSize":
    {"Type": "INSTANCE_COUNT", "Value": 1}}}}']], CREATED },
  { "deep-file", CREATE .. "--deployment-config file://d.json", CREATED,
    files = { ["d.json"] = '{"AutoRollbackConfiguration": {"Alarms": []}}' } },
  { "variants", CONFIG .. "VariantName=v,ModelName=m,InitialInstanceCount=1,"
    .. "InstanceType=ml.m5.large,"
    .. "InitialVariantWeight=0.5", ARN },
  { "variants-two", CONFIG .. "VariantName=a,ModelName=m,InitialVariantWeight=1 "
    .. "VariantName=b,ModelName=n,InitialVariantWeight=1e-3", ARN },
  { "serverless", CONFIG .. "'VariantName=v,ModelName=m,ServerlessConfig={MemorySizeInMB=2048,"
    .. "MaxConcurrency=5}'", ARN },
  { "boolean", CONFIG .. "VariantName=v,ModelName=m --data-capture-config EnableCapture=false,"
    .. "InitialSamplingPercentage=1,DestinationS3Uri=s3://b,CaptureOptions=[]", ARN },
  { "async", CONFIG .. "VariantName=v,ModelName=m --async-inference-config 'OutputConfig={"
    .. "S3OutputPath=s3://b/o,NotificationConfig={SuccessTopic=arn:s}},ClientConfig={"
    .. "MaxConcurrentInvocationsPerInstance=4}'", ARN },
  { "capture", CONFIG .. "VariantName=v,ModelName=m --data-capture-config 'EnableCapture=true,"
    .. "InitialSamplingPercentage=50,DestinationS3Uri=s3://b,CaptureOptions=[{CaptureMode=Input},"
    .. "{CaptureMode=Output}],CaptureContentTypeHeader={CsvContentTypes=[text/csv,a/b]}'", ARN },
  { "nested-list", CONFIG .. "VariantName=v,ModelName=m --explainer-config "
    .. "'ClarifyExplainerConfig={"
    .. "InferenceConfig={FeatureTypes=[numerical,text],MaxRecordCount=3},ShapConfig={"
    .. "ShapBaselineConfig={ShapBaseline=x},UseLogit=false}}'", ARN },
  { "weights", "update-endpoint-weights-and-capacities --endpoint-name e "
    .. "--desired-weights-and-capacities VariantName=a,DesiredWeight=1,DesiredInstanceCount=2 "
    .. "VariantName=b,DesiredWeight=0.5", CREATED },
  { "flags", "update-endpoint --endpoint-name e --endpoint-config-name c "
    .. "--retain-all-variant-properties --no-retain-deployment-config", CREATED },
  { "flag-omitted", "update-endpoint --endpoint-name e --endpoint-config-name c", CREATED },
  { "exclude", "update-endpoint --endpoint-name e --endpoint-config-name c "
    .. "--exclude-retained-variant-properties VariantPropertyType=DesiredWeight "
    .. "VariantPropertyType=DataCaptureConfig", CREATED },
  { "isolation", "create-model --model-name m --execution-role-arn "
    .. "arn:aws:iam::111122223333:role/r "
    .. "--enable-network-isolation --containers Image=a Image=b,ContainerHostname=h", ARN },
  { "environment", "create-model --model-name m --execution-role-arn r --primary-container "
    .. "'Image=img:tag,ModelDataUrl=s3://b/m.tar.gz,Environment={A=1,B=x y,C=}'", ARN },
  { "environment-json", "create-model --model-name m --execution-role-arn r --primary-container "
    .. [['{"Image": "i", "Environment": {"JSON": "{\"a\": [1, 2]}", "E": "é"}}']], ARN },
  { "container-file", "create-model --model-name m --execution-role-arn r --primary-container "
    .. "file://c.json", ARN, files = { ["c.json"] = '{"Image": "from file"}' } },
  { "vpc", "create-model --model-name m --execution-role-arn r --primary-container Image=i "
    .. "--vpc-config SecurityGroupIds=sg-1,sg-2,Subnets=s-1", ARN },
  { "string-file", "create-pipeline --pipeline-name p --pipeline-definition file://p.json "
    .. "--role-arn "
    .. "arn:aws:iam::111122223333:role/r --client-request-token " .. ("x"):rep(32), ARN,
    files = { ["p.json"] = '{"Version": "2020-12-01"}\n' } },
  { "string-list", "delete-tags --resource-arn arn --tag-keys a b 'c d'", EMPTY },
  { "string-list-json", [==[delete-tags --resource-arn arn --tag-keys '["a","b c"]']==], EMPTY },
  { "string-list-one", "delete-tags --resource-arn arn --tag-keys a,b", EMPTY },
  { "map", "update-artifact --artifact-arn arn --properties 'a=1,b=x y'", ARN },
  { "map-json", [[update-artifact --artifact-arn arn --properties '{"z":"1","a":"é"}']], ARN },
  { "map-list", "update-artifact --artifact-arn arn --properties-to-remove a b", ARN },
  { "hyper", "create-training-job --training-job-name j --role-arn r --algorithm-specification "
    .. "TrainingImage=i,TrainingInputMode=File --output-data-config S3OutputPath=s3://b "
    .. "--resource-config InstanceType=ml.m5.large,InstanceCount=1,VolumeSizeInGB=10 "
    .. "--stopping-condition MaxRuntimeInSeconds=60 --hyper-parameters 'lr=0.1,name=a b'",
    answer '{"TrainingJobArn": "arn:j"}' },
  { "time-iso", "list-endpoints --no-paginate --creation-time-after 2026-01-15T12:34:56Z",
    ENDPOINTS },
  { "time-epoch", "list-endpoints --no-paginate --creation-time-after 1768480496", ENDPOINTS },
  { "time-rfc", "list-endpoints --no-paginate --creation-time-after 'Thu, 15 Jan 2026 "
    .. "12:34:56 GMT'",
    ENDPOINTS },
  { "time-zone", "list-endpoints --no-paginate --creation-time-after 2026-01-15T12:34:56+05:30",
    ENDPOINTS },
  { "time-date", "list-endpoints --no-paginate --creation-time-before 2026-01-15", ENDPOINTS },
  { "integer", "list-endpoints --no-paginate --max-results 5", ENDPOINTS },
  { "integer-deep", "describe-image-version --image-name i --version-number 3 --query x",
    answer '{"Version": 3}', differs = { all = "an option of newer models" } },
  { "enum", "list-endpoints --no-paginate --sort-by CreationTime --sort-order Ascending "
    .. "--status-equals InService", ENDPOINTS },
  { "enum-new", "list-endpoints --no-paginate --status-equals SomethingNew", ENDPOINTS },
  { "search", "search --resource Endpoint --search-expression "
    .. [['{"Filters":[{"Name":"a","Operator":"Equals","Value":"b"}]}' --no-paginate]],
    answer '{"Results": []}' },
  { "search-shorthand", "search --resource TrainingJob --no-paginate --search-expression 'Filters=["
    .. "{Name=a,Operator=Equals,Value=b}],SubExpressions=[{Filters=[{Name=c,Operator=Exists}],"
    .. "Operator=Or}]'", answer '{"Results": []}' },
  { "schedule", "create-monitoring-schedule --monitoring-schedule-name s "
    .. "--monitoring-schedule-config "
    .. [['ScheduleConfig={ScheduleExpression="cron(0 * ? * * *)"},]]
    .. "MonitoringJobDefinitionName=d,MonitoringType=DataQuality'", ARN },
  { "document",
    [[create-endpoint --cli-input-json '{"EndpointName":"j","EndpointConfigName":"c"}']],
    CREATED },
  { "document-and-option", "create-endpoint --cli-input-json "
    .. [['{"EndpointName":"j","EndpointConfigName":"c","Tags":[]}' --endpoint-name option]],
    CREATED },
  { "document-file", "create-endpoint --cli-input-json file://i.json", CREATED,
    files = { ["i.json"] = '{"EndpointName": "f", "EndpointConfigName": "c",\n "Tags": '
      .. '[{"Key": "k", '
      .. '"Value": "v"}]}' } },
  { "document-yaml", "create-endpoint --cli-input-yaml file://i.yaml", CREATED,
    files = { ["i.yaml"] = "EndpointName: y  # a comment\nEndpointConfigName: 'c'\nTags:\n- "
    .. "Key: k\n"
      .. "  Value: \"v: w\"\n" } },
  { "no-input", "list-devices --no-paginate", answer '{"DeviceSummaries": []}' },
  { "transform", "create-transform-job --transform-job-name t --model-name m --transform-input "
    .. "'DataSource={S3DataSource={S3DataType=S3Prefix,S3Uri=s3://b}},SplitType=Line' "
    .. "--transform-output S3OutputPath=s3://o,Accept=text/csv --transform-resources "
    .. "InstanceType=ml.m5.large,InstanceCount=1 --max-payload-in-mb 6 --batch-strategy "
    .. "MultiRecord "
    .. "--environment A=1,B=2", ARN },
}

-- What is printed: every answer in every form, and queries.
local FORMS = { "json", "text", "table", "yaml" }
local ANSWERS = {
  endpoint = { "describe-endpoint --endpoint-name churn", ENDPOINT },
  endpoints = { "list-endpoints", ENDPOINTS },
  model = { "describe-model --model-name m", MODEL },
  job = { "describe-training-job --training-job-name j", JOB },
  tags = { "list-tags --resource-arn arn", TAGS },
  created = { "create-endpoint --endpoint-name e --endpoint-config-name c", CREATED },
  deleted = { "delete-endpoint --endpoint-name e", NOTHING },
  empty = { "delete-tags --resource-arn a --tag-keys k", EMPTY },
}
local QUERIES = {
  names = "Endpoints[].EndpointName",
  pairs = "Endpoints[].[EndpointName,EndpointStatus]",
  hash = "Endpoints[].{Z:EndpointName,A:CreationTime}",
  first = "Endpoints[0]",
  scalar = "Endpoints[0].EndpointName",
  filter = "Endpoints[?EndpointStatus==`Creating`].EndpointName|[0]",
  times = "Endpoints[?CreationTime>='2025-01-01'].EndpointName",
  reverse = "reverse(sort_by(Endpoints,&CreationTime))[].EndpointName",
  length = "length(Endpoints)",
  truth = "contains(Endpoints[].EndpointName,'a')",
  absent = "Nope",
  none = "Endpoints[?EndpointStatus=='Failed']",
  literals = "[Endpoints[0].EndpointName,length(Endpoints),`null`,`true`,`1.5`]",
  text = "to_string(Endpoints[0])",
  keys = "keys(Endpoints[0])",
  values = "Endpoints[0].*",
  twice = "[Endpoints,Endpoints]",
  average = "{Average:avg(Endpoints[].length(EndpointName)),Sum:sum(`[1,2.5]`)}",
}

-- The rest of what these forms print is compared by the spec of output.
local FRAMED = {}
for _, name in ipairs { "pairs", "hash", "first", "scalar", "none", "literals", "twice" } do
  FRAMED[name] = QUERIES[name]
end

local function printed(rows)
  for _, form in ipairs(FORMS) do
    local is_framed = form == "table" or form == "yaml"
    for name, case in pairs(ANSWERS) do
      rows[#rows + 1] = { ("out-%s-%s"):format(name, form), case[1] .. " --output " .. form,
        case[2] }
    end
    for name, query in pairs(is_framed and FRAMED or QUERIES) do
      local words = ("list-endpoints --output %s --query '%s'"):format(form,
        (query:gsub("'", "'\\''")))
      rows[#rows + 1] = { ("query-%s-%s"):format(name, form), words, ENDPOINTS }
    end
    rows[#rows + 1] = { "pages-" .. form, "list-endpoints --output " .. form, PAGES }
    rows[#rows + 1] = { "pages-query-" .. form, "list-endpoints --query Endpoints[].EndpointName "
      .. "--output " .. form, PAGES }
    rows[#rows + 1] = { "pages-max-" .. form, "list-endpoints --max-items 3 --output " .. form,
      PAGES }
    rows[#rows + 1] = { "query-job-" .. form, "describe-training-job --training-job-name j --query "
      .. "'{M:FinalMetricDataList[].[MetricName,Value],H:HyperParameters,I:InputDataConfig}' "
    .. "--output "
      .. form, JOB }
  end
end

local ONCE = { AWS_MAX_ATTEMPTS = "1" }
local MAXED = "no retries are spoken of where there were none"
local NUMBER = { rc = "a value that is no number is a wrong command line (252)" }

local EDGES = {
  { "color", "list-endpoints --output table --color on", ENDPOINTS },
  { "color-off", "list-endpoints --output table --color off", ENDPOINTS },
  { "berlin", "describe-endpoint --endpoint-name x", ENDPOINT, env = { TZ = "Europe/Berlin" } },
  { "kolkata", "describe-training-job --training-job-name x --output yaml", JOB,
    env = { TZ = "Asia/Kolkata" } },
  { "wire", "describe-endpoint --endpoint-name x", ENDPOINT, env = { AWS_CONFIG_FILE = "config" },
    files = { config = "[default]\ncli_timestamp_format = wire\n" } },
  { "output-env", "list-tags --resource-arn a", TAGS, env = { AWS_DEFAULT_OUTPUT = "text" } },
  { "output-profile", "list-tags --resource-arn a", TAGS, env = { AWS_CONFIG_FILE = "config" },
    files = { config = "[default]\noutput = yaml\n" } },
  { "yaml-stream", "list-endpoints --output yaml-stream", PAGES },
  { "page-size", "list-endpoints --page-size 2 --query length(Endpoints)", PAGES },
  { "one-page", "list-endpoints --no-paginate", PAGES },
  { "by-token", "list-endpoints --next-token t1", PAGES[2] },
  { "by-limit", "list-endpoints --max-results 2", PAGES },
  { "max-one", "list-endpoints --max-items 1", PAGES },
  { "max-all", "list-endpoints --max-items 100", PAGES },
  { "resume", "list-endpoints --starting-token eyJOZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91"
    .. "bnQiOiAxfQ==", PAGES },
  { "query-token", "list-endpoints --no-paginate --query NextToken --output text", PAGES },
  { "odd-error", "describe-endpoint --endpoint-name x", refused("ValidationException",
    "one\\ntwo é") },
  { "missing", "describe-endpoint --endpoint-name x", MISSING },
  { "missing-text", "describe-endpoint --endpoint-name x --output text", MISSING },
  { "namespace", "list-endpoints",
    refused("com.amazon.coral.service#ResourceNotFound", "gone", 404) },
  { "header-code", "list-endpoints", answer('{"message": "m"}', 400,
    { ["x-amzn-ErrorType"] = "ResourceInUse:http://x/" }),
    differs = { stderr = "the code of an error is looked for in its header too" } },
  { "capital-message", "list-endpoints", answer('{"__type": "A", "Message": "M"}', 400) },
  { "no-message", "list-endpoints", answer('{"__type": "ConflictException"}', 400),
    differs = { stderr = "the status stands where there is no message" } },
  { "throttled", "list-endpoints", refused("ThrottlingException", "Rate exceeded"), env = ONCE,
    differs = { stderr = MAXED } },
  { "internal", "list-endpoints", refused("InternalFailure", "oops", 500), env = ONCE,
    differs = { stderr = MAXED } },
  { "denied", "list-endpoints",
    refused("AccessDeniedException", "User: x is not authorized", 403) },
  { "no-option", "describe-endpoint", ENDPOINT },
  { "unknown-option", "describe-endpoint --endpoint-name x --bogus y", ENDPOINT },
  { "unknown-operation", "describe-endpont --endpoint-name x", ENDPOINT },
  { "no-value", "describe-endpoint --endpoint-name", ENDPOINT },
  { "wrong-output", "list-endpoints --output xml", ENDPOINTS },
  { "wrong-query", "list-endpoints --query 'Endpoints['", ENDPOINTS },
  { "query-type", "list-endpoints --query 'abs(Endpoints)'", ENDPOINTS },
  { "query-reference", "list-endpoints --query 'sort_by(Endpoints,EndpointName)'", ENDPOINTS },
  { "query-function", "list-endpoints --query 'nope(Endpoints)'", ENDPOINTS,
    differs = { rc = "told before anything is sent (252)", request = "nothing is sent" } },
  { "wrong-json", "create-model --model-name m --primary-container '{\"Image\": '", ARN },
  { "wrong-shorthand", CREATE .. "--tags Key=a,Value=b,", CREATED },
  { "wrong-member", CREATE .. "--tags Key=a,Val=b", CREATED },
  { "wrong-integer", "list-endpoints --no-paginate --max-results five", ENDPOINTS,
    differs = NUMBER },
  { "wrong-time", "list-endpoints --no-paginate --creation-time-after yesterday", ENDPOINTS },
  { "no-file", CREATE .. "--tags file://nope.json", CREATED },
  { "wrong-document", "create-endpoint --cli-input-json '{bad'", CREATED },
  { "extra", "describe-endpoint --endpoint-name x extra", ENDPOINT },
  { "no-profile", "list-endpoints --profile nope", ENDPOINTS,
    differs = { rc = "a profile that is not there is wrong configuration (253)" } },
  { "no-credentials", "list-endpoints", ENDPOINTS, env = { AWS_ACCESS_KEY_ID = "",
    AWS_SECRET_ACCESS_KEY = "" } },
  { "wait-done", "wait endpoint-in-service --endpoint-name x",
    answer '{"EndpointStatus": "InService"}' },
  { "wait-failed", "wait endpoint-in-service --endpoint-name x",
    answer '{"EndpointStatus": "Failed"}' },
  { "wait-gone", "wait endpoint-deleted --endpoint-name x", MISSING },
  { "wait-error", "wait endpoint-in-service --endpoint-name x", MISSING },
  { "wait-model", "wait training-job-completed-or-stopped --training-job-name x",
    answer '{"TrainingJobStatus": "Stopped"}' },
}

local BYTES = answer("a,b\n1,2\n", 200, { ["Content-Type"] = "text/csv",
  ["x-Amzn-Invoked-Production-Variant"] = "A", ["X-Amzn-SageMaker-Custom-Attributes"] = "k=v" })
local RUNTIME = {
  { "invoke", "invoke-endpoint --endpoint-name e --body eA== out", BYTES, read = { "out" } },
  { "invoke-raw", "invoke-endpoint --endpoint-name e --body '{\"x\": 1}' --content-type "
    .. "application/json --cli-binary-format raw-in-base64-out out", BYTES, read = { "out" } },
  { "invoke-file", "invoke-endpoint --endpoint-name e --body fileb://in.bin --accept text/csv out",
    BYTES, files = { ["in.bin"] = "1,2,é\n" }, read = { "out" } },
  { "invoke-headers", "invoke-endpoint --endpoint-name e --body eA== --custom-attributes "
    .. "'k=v; q=1' --target-variant v1 --target-model m.tar.gz --inference-id i "
    .. "--target-container-hostname h --enable-explanations true out", BYTES, read = { "out" } },
  { "invoke-name", "invoke-endpoint --endpoint-name a.b~c --body eA== out",
    BYTES, read = { "out" } },
  { "invoke-text", "invoke-endpoint --endpoint-name e --body eA== --output text out", BYTES },
  { "invoke-query", "invoke-endpoint --endpoint-name e --body eA== --query ContentType out",
    BYTES },
  { "invoke-async", "invoke-endpoint-async --endpoint-name e --input-location s3://b/k "
    .. "--request-ttl-seconds 60", answer('{"InferenceId": "i"}', 202,
      { ["X-Amzn-SageMaker-OutputLocation"] = "s3://b/o" }),
    differs = { stdout = "newer models name the members in another order" } },
  { "invoke-error", "invoke-endpoint --endpoint-name e --body eA== out", answer(
    '{"Message": "Received server error (500)", "OriginalStatusCode": 500}', 424,
    { ["x-amzn-ErrorType"] = "ModelError" }), read = { "out" } },
  { "invoke-no-outfile", "invoke-endpoint --endpoint-name e --body eA==", BYTES },
  { "invoke-bad-base64", "invoke-endpoint --endpoint-name e --body 'not base64!' out", BYTES,
    differs = { rc = "a value that is no base64 is a wrong command line (252)" } },
}

-- Every fifth row: the AWS CLI takes its time. SAGEMAKER_DIFFERENTIAL=all compares all of them.
local function sample(rows)
  if os.getenv "SAGEMAKER_DIFFERENTIAL" == "all" then return rows end
  local some = {}
  for i = 1, #rows, 5 do some[#some + 1] = rows[i] end
  return some
end

--- All rows: {id, service, words, answers, env, files, read, differs, is_sent}; is_sent: the row is
--- about what is sent.
---@return table[]
function M.all()
  local rows, all = {}, {}
  for _, row in ipairs(SENT) do
    row.is_sent = true
    rows[#rows + 1] = row
  end
  printed(rows)
  for _, row in ipairs(EDGES) do rows[#rows + 1] = row end
  local function add(row, service)
    local answers = row[3]
    if answers.status then answers = { answers } end
    all[#all + 1] = { id = row[1], service = service, words = row[2], answers = answers,
      env = row.env or {}, files = row.files or {}, read = row.read or {},
    differs = row.differs or {},
      is_sent = row.is_sent }
  end
  local has_yaml = pcall(require, "lyaml")
  for _, row in ipairs(sample(odd.rows(answer))) do
    if has_yaml or not row.needs_yaml then rows[#rows + 1] = row end
  end
  for _, row in ipairs(rows) do add(row, "sagemaker") end
  for _, row in ipairs(RUNTIME) do add(row, "sagemaker-runtime") end
  for _, row in ipairs(sample(odd.runtime(answer))) do add(row, "sagemaker-runtime") end
  table.sort(all, function(a, b) return a.id < b.id end)
  return all
end

return M
