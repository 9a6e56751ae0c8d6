"""What the same work costs with boto3: printed beside the other yardsticks where it is installed.

    python3 spec/bench/boto3.py
"""
import json
import subprocess
import sys
import time

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

PARAMS = {
    "EndpointName": "churn",
    "EndpointConfigName": "churn-v2",
    "DeploymentConfig": {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "WaitIntervalInSeconds": 600,
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
            },
            "TerminationWaitInSeconds": 600,
            "MaximumExecutionTimeoutInSeconds": 3600,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "churn-%d" % i} for i in range(5)]},
    },
    "Tags": [{"Key": "key-%d" % i, "Value": "value-%d" % i} for i in range(3)],
}
VARIANT = {
    "VariantName": "main", "CurrentWeight": 1.0, "DesiredWeight": 1.0,
    "CurrentInstanceCount": 3, "DesiredInstanceCount": 3,
}
ANSWER = {
    "EndpointName": "churn", "EndpointArn": "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/churn",
    "EndpointStatus": "InService", "CreationTime": 1768478400.123,
    "LastModifiedTime": 1768478400.456, "ProductionVariants": [VARIANT] * 28,
}


def measure(name, work, count=500):
    """Prints the median of five rounds, in microseconds of CPU time a piece."""
    rounds = []
    for _ in range(5):
        start = time.process_time()
        for _ in range(count):
            work()
        rounds.append((time.process_time() - start) / count * 1e6)
    print("%-28s %9.2f us" % (name, sorted(rounds)[2]))


def main():
    session = botocore.session.Session()
    client = session.create_client(
        "sagemaker", region_name="eu-west-1",
        aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret")
    model = client.meta.service_model
    create, describe = model.operation_model("CreateEndpoint"), model.operation_model("DescribeEndpoint")
    serializer = session.get_component("response_parser_factory")
    parser = serializer.create_parser(model.metadata["protocol"])
    signer = SigV4Auth(Credentials("AKIDEXAMPLE", "secret"), "sagemaker", "eu-west-1")
    body = json.dumps(PARAMS).encode()
    answer = {"status_code": 200, "headers": {}, "body": json.dumps(ANSWER).encode()}

    def sign():
        signer.add_auth(AWSRequest(
            "POST", "https://api.sagemaker.eu-west-1.amazonaws.com/", data=body,
            headers={"Content-Type": "application/x-amz-json-1.1"}))

    print("boto3: botocore", botocore.__version__)
    measure("sign", sign)
    measure("validate and serialize", lambda: client._serializer.serialize_to_request(PARAMS, create))
    measure("decode %d bytes" % len(answer["body"]),
            lambda: parser.parse(answer, describe.output_shape), 200)
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import boto3; boto3.client('sagemaker', "
                    "region_name='eu-west-1')"], check=True)
    print("%-28s %9.2f ms" % ("process, import and client", (time.perf_counter() - start) * 1e3))


if __name__ == "__main__":
    main()
