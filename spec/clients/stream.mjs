// Reads a response stream of the server at SIMULATOR_URL with the AWS SDK for JavaScript: the
// container sends its second part only after GATE was asked to open, which happens here once the
// first part has been read.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(process.env.NODE_MODULES + "/");
const runtimes = require("@aws-sdk/client-sagemaker-runtime");

const runtime = new runtimes.SageMakerRuntimeClient({ endpoint: process.env.SIMULATOR_URL,
  region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } });
const answer = await runtime.send(new runtimes.InvokeEndpointWithResponseStreamCommand(
  { EndpointName: "e", Body: "x" }));
const parts = [];
for await (const event of answer.Body) {
  parts.push(Buffer.from(event.PayloadPart.Bytes).toString("utf8"));
  if (parts.length === 1) await (await fetch(process.env.GATE)).text();
}
assert.deepEqual(parts, ["first ", "second"]);
console.log("done");
