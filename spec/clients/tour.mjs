// What a user of the AWS SDK for JavaScript does with endpoints, against the server at
// SIMULATOR_URL. Prints a line for each thing that was seen, ends with "done"; throws where
// something is not as it should be. Every answer goes to the file RAW as {"service", "operation",
// "status", "body"}, for the spec to look at. Time stands still but for advance().
import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.env.NODE_MODULES + "/");
const sagemaker = require("@aws-sdk/client-sagemaker");
const runtimes = require("@aws-sdk/client-sagemaker-runtime");
const watches = require("@aws-sdk/client-cloudwatch");

const URL = process.env.SIMULATOR_URL;
const KEYS = { accessKeyId: "test", secretAccessKey: "test" };

// A client whose answers are kept, as long as they are JSON and no stream.
function client(Class, service, more = {}) {
  const made = new Class({ endpoint: URL, region: "us-east-1", credentials: KEYS, maxAttempts: 1,
    ...more });
  const handler = made.config.requestHandler;
  const handle = handler.handle.bind(handler);
  let operation;
  made.middlewareStack.add((next, context) => (args) => {
    operation = context.commandName.replace(/Command$/, "");
    return next(args);
  }, { step: "initialize" });
  handler.handle = async (request, options) => {
    const answer = await handle(request, options);
    const type = answer.response.headers["content-type"] || "";
    if (!type.startsWith("application/x-amz-json") && service !== "sagemaker") return answer;
    const parts = [];
    for await (const part of answer.response.body) parts.push(part);
    const body = Buffer.concat(parts);
    appendFileSync(process.env.RAW, JSON.stringify({ service, operation,
      status: answer.response.statusCode, body: body.toString("utf8") }) + "\n");
    const { Readable } = await import("node:stream");
    answer.response.body = Readable.from([body]);
    return answer;
  };
  return made;
}

const sm = client(sagemaker.SageMakerClient, "sagemaker");
const runtime = client(runtimes.SageMakerRuntimeClient, "sagemaker-runtime");
const cloudwatch = client(watches.CloudWatchClient, "cloudwatch");

const call = (name, input) => sm.send(new sagemaker[name + "Command"](input));
const watch = (name, input) => cloudwatch.send(new watches[name + "Command"](input));
const invoke = (input) => runtime.send(new runtimes.InvokeEndpointCommand(input));

async function control(path, data) {
  const answer = await fetch(URL + "/_simulator/" + path,
    { method: "POST", body: JSON.stringify(data) });
  assert.equal(answer.status, 200);
}

const advance = (seconds) => control("advance", { seconds });

async function refused(promise, name, text, status = 400) {
  const failure = await promise.then(() => assert.fail("not refused: " + name), (e) => e);
  assert.equal(failure.name, name, String(failure));
  assert.ok(failure.message.includes(text), failure.message);
  assert.equal(failure.$metadata.httpStatusCode, status);
  assert.match(failure.$metadata.requestId, /^[0-9a-f-]{36}$/);
}

const WAIT = { client: sm, minDelay: 1, maxDelay: 1, maxWaitTime: 5 };
const inService = () => sagemaker.waitUntilEndpointInService(WAIT, { EndpointName: "Churn" });
const describe = () => call("DescribeEndpoint", { EndpointName: "Churn" });

async function stage() {
  const variant = (await describe()).PendingDeploymentSummary.ProductionVariants[0];
  return [variant.VariantStatus[0].Status, variant.CurrentInstanceCount,
    variant.DesiredInstanceCount];
}

// How many invocations the new fleet answered.
async function shares(n) {
  let fresh = 0;
  for (let i = 0; i < n; i++) {
    const answer = await invoke({ EndpointName: "churn", Body: "1,2,3", ContentType: "text/csv" });
    assert.equal(answer.InvokedProductionVariant, "AllTraffic");
    fresh += JSON.parse(Buffer.from(answer.Body)).fleet === "green" ? 1 : 0;
  }
  return fresh / n;
}

const config = (name, model = "churn-1") => call("CreateEndpointConfig", {
  EndpointConfigName: name, ProductionVariants: [{ VariantName: "AllTraffic", ModelName: model,
    InstanceType: "ml.m5.large", InitialInstanceCount: 4, InitialVariantWeight: 1 }] });

async function create() {
  for (const name of ["churn-1", "churn-2"]) {
    await call("CreateModel", { ModelName: name, PrimaryContainer: { Image: "1.dkr/x:1" },
      ExecutionRoleArn: "arn:aws:iam::123456789012:role/sagemaker" });
    await config(name, name);
  }
  const { EndpointArn } = await call("CreateEndpoint",
    { EndpointName: "Churn", EndpointConfigName: "churn-1" });
  assert.equal((await describe()).EndpointStatus, "Creating");
  await advance(300);
  assert.equal((await inService()).state, "SUCCESS");
  console.log("created");
  return EndpointArn;
}

async function rollBack() {
  await watch("PutMetricAlarm", { AlarmName: "churn-5xx", Namespace: "AWS/SageMaker",
    MetricName: "Invocation5XXErrors", Dimensions: [{ Name: "EndpointName", Value: "Churn" },
      { Name: "VariantName", Value: "AllTraffic" }], Statistic: "Sum", Period: 60,
    EvaluationPeriods: 1, Threshold: 1.5, TreatMissingData: "notBreaching",
    ComparisonOperator: "GreaterThanOrEqualToThreshold" });
  await call("UpdateEndpoint", { EndpointName: "Churn", EndpointConfigName: "churn-2",
    DeploymentConfig: { BlueGreenUpdatePolicy: { TrafficRoutingConfiguration: { Type: "CANARY",
      WaitIntervalInSeconds: 600, CanarySize: { Type: "CAPACITY_PERCENT", Value: 25 } } },
    AutoRollbackConfiguration: { Alarms: [{ AlarmName: "churn-5xx" }] } } });
  assert.deepEqual(await stage(), ["Creating", 0, 4]);
  await advance(301);
  assert.deepEqual(await stage(), ["Baking", 1, 4]);
  const share = await shares(400);
  assert.ok(share > 0.15 && share < 0.36, String(share));
  await watch("SetAlarmState",
    { AlarmName: "churn-5xx", StateValue: "ALARM", StateReason: "a drill" });
  const [alarm] = (await watch("DescribeAlarms", { AlarmNames: ["churn-5xx"] })).MetricAlarms;
  assert.equal(alarm.StateReason, "a drill");
  assert.equal(alarm.Threshold, 1.5);
  assert.equal(alarm.StateUpdatedTimestamp.getUTCFullYear(), 2026);
  await advance(30);
  assert.equal((await inService()).state, "SUCCESS");
  const after = await describe();
  assert.equal(after.EndpointConfigName, "churn-1");
  assert.match(after.FailureReason, /churn-5xx/);
  await watch("SetAlarmState", { AlarmName: "churn-5xx", StateValue: "OK", StateReason: "over" });
  console.log("rolled back at", Math.round(100 * share), "%");
}

async function deploy() {
  await call("UpdateEndpoint", { EndpointName: "Churn", EndpointConfigName: "churn-2",
    DeploymentConfig: { RollingUpdatePolicy: {
      MaximumBatchSize: { Type: "CAPACITY_PERCENT", Value: 50 }, WaitIntervalInSeconds: 60 } } });
  await advance(310);
  assert.deepEqual(await stage(), ["Baking", 2, 4]);
  const share = await shares(400);
  assert.ok(share > 0.38 && share < 0.62, String(share));
  await advance(3600);
  await inService();
  assert.equal((await describe()).EndpointConfigName, "churn-2");
  console.log("rolled out in batches, half way at", Math.round(100 * share), "%");
}

async function lists(arn) {
  for (let i = 10; i < 35; i++) await config("page-" + i);
  const names = [];
  for await (const page of sagemaker.paginateListEndpointConfigs({ client: sm, pageSize: 10 },
    { NameContains: "page", SortBy: "Name", SortOrder: "Ascending" })) {
    for (const row of page.EndpointConfigs) names.push(row.EndpointConfigName);
  }
  assert.equal(names.join(), Array.from({ length: 25 }, (_, i) => "page-" + (i + 10)).join());
  await call("AddTags", { ResourceArn: arn, Tags: [{ Key: "a", Value: "1" }] });
  assert.deepEqual((await call("ListTags", { ResourceArn: arn })).Tags, [{ Key: "a", Value: "1" }]);
  await call("DeleteTags", { ResourceArn: arn, TagKeys: ["a"] });
  assert.deepEqual((await call("ListTags", { ResourceArn: arn })).Tags, []);
  console.log("listed and tagged");
}

async function refusals() {
  await refused(call("DescribeEndpoint", { EndpointName: "none" }), "ValidationException",
    'Could not find endpoint "arn:aws:sagemaker');
  await refused(invoke({ EndpointName: "none", Body: "x" }), "ValidationError", "not found");
  await refused(watch("DeleteAlarms", { AlarmNames: ["none"] }), "ResourceNotFound", "none", 404);
  await refused(watch("SetAlarmState", { AlarmName: "x", StateValue: "RED", StateReason: "" }),
    "ValidationException", "enum value set"); // its name for ValidationError
  const wrong = client(sagemaker.SageMakerClient, "sagemaker",
    { credentials: { accessKeyId: "test", secretAccessKey: "wrong" } });
  await refused(wrong.send(new sagemaker.ListModelsCommand({})), "InvalidSignatureException",
    "does not match", 403);
  await control("knobs", { throttle: 1 });
  await refused(call("ListModels", {}), "ThrottlingException", "Rate exceeded");
  console.log("refused");
}

async function components() {
  await call("CreateEndpointConfig", { EndpointConfigName: "parts",
    ExecutionRoleArn: "arn:aws:iam::123456789012:role/sagemaker", ProductionVariants: [
      { VariantName: "AllTraffic", InstanceType: "ml.g5.2xlarge", InitialInstanceCount: 1 }] });
  await call("CreateEndpoint", { EndpointName: "parts", EndpointConfigName: "parts" });
  await advance(300);
  await call("CreateInferenceComponent", { InferenceComponentName: "part", EndpointName: "parts",
    VariantName: "AllTraffic", RuntimeConfig: { CopyCount: 1 }, Specification: {
      ModelName: "churn-1", ComputeResourceRequirements: { NumberOfCpuCoresRequired: 1,
        MinMemoryRequiredInMb: 1024 } } });
  await advance(600);
  const seen = await call("DescribeInferenceComponent", { InferenceComponentName: "part" });
  assert.equal(seen.InferenceComponentStatus, "InService");
  await call("DeleteInferenceComponent", { InferenceComponentName: "part" });
  const { Body } = await runtime.send(new runtimes.InvokeEndpointWithResponseStreamCommand(
    { EndpointName: "churn", Body: "x" }));
  let text = "";
  for await (const event of Body) text += Buffer.from(event.PayloadPart.Bytes).toString("utf8");
  assert.equal(JSON.parse(text).variant, "AllTraffic");
  console.log("hosted components, streamed");
}

async function remove() {
  await call("DeleteEndpoint", { EndpointName: "Churn" });
  assert.equal((await describe()).EndpointStatus, "Deleting");
  await advance(30);
  const gone = await sagemaker.waitUntilEndpointDeleted(WAIT, { EndpointName: "Churn" });
  assert.equal(gone.state, "SUCCESS");
  await watch("DeleteAlarms", { AlarmNames: ["churn-5xx"] });
  console.log("deleted");
}

const arn = await create();
await rollBack();
await deploy();
await lists(arn);
await refusals();
await components();
await remove();
console.log("done");
