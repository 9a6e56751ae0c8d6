"""Reads a response stream of the server at SIMULATOR_URL with boto3: the container sends its second
part only after GATE was asked to open, which happens here once the first part has been read."""
import os
import urllib.request

import boto3

runtime = boto3.client("sagemaker-runtime", endpoint_url=os.environ["SIMULATOR_URL"])
stream = runtime.invoke_endpoint_with_response_stream(EndpointName="e", Body=b"x")
parts = []
for event in stream["Body"]:
    parts.append(event["PayloadPart"]["Bytes"].decode())
    if len(parts) == 1:
        urllib.request.urlopen(os.environ["GATE"]).read()
assert parts == ["first ", "second"], parts
print("done")
