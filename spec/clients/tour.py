"""What a user of boto3 does with endpoints, against the server at SIMULATOR_URL.

Prints a line for each thing that was seen, ends with "done"; raises where something is not as it
should be. Every answer goes to the file RAW as {"service", "operation", "status", "body"}, for the
spec to look at. Time stands still but for advance().
"""
import json
import os
import sys
import urllib.request
import warnings

warnings.simplefilter("error", UserWarning)

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import ClientError

URL = os.environ["SIMULATOR_URL"]
RAW = open(os.environ["RAW"], "w")


def keep(service):
    def after(http_response, parsed, model, **_):
        if model.has_event_stream_output or model.has_streaming_output:
            return
        body = http_response.content
        RAW.write(json.dumps({"service": service, "operation": model.name,
                              "status": http_response.status_code,
                              "body": body.decode("utf-8")}) + "\n")
    return after


def client(service, **more):
    made = boto3.client(service, endpoint_url=URL, config=Config(
        retries={"total_max_attempts": 1}, parameter_validation=True), **more)
    made.meta.events.register("after-call.*", keep(service))
    return made


sm, runtime, cloudwatch = client("sagemaker"), client("sagemaker-runtime"), client("cloudwatch")


def control(path, data):
    request = urllib.request.Request(URL + "/_simulator/" + path, json.dumps(data).encode())
    return json.load(urllib.request.urlopen(request))


def advance(seconds):
    control("advance", {"seconds": seconds})


def refused(call, code, text, status=400, **params):
    try:
        call(**params)
    except ClientError as failure:
        error = failure.response["Error"]
        assert error["Code"] == code, failure
        assert text in error["Message"], failure
        assert failure.response["ResponseMetadata"]["HTTPStatusCode"] == status, failure
        return
    raise AssertionError("not refused: " + code)


def wait(name, **params):
    sm.get_waiter(name).wait(WaiterConfig={"Delay": 1, "MaxAttempts": 1}, **params)


def describe():
    return sm.describe_endpoint(EndpointName="Churn")


def stage():
    variant = describe()["PendingDeploymentSummary"]["ProductionVariants"][0]
    return (variant["VariantStatus"][0]["Status"], variant["CurrentInstanceCount"],
            variant["DesiredInstanceCount"])


def shares(n):
    """How many invocations the new fleet answered."""
    new = 0
    for _ in range(n):
        answer = runtime.invoke_endpoint(EndpointName="churn", Body=b"1,2,3",
                                         ContentType="text/csv")
        assert answer["InvokedProductionVariant"] == "AllTraffic"
        new += json.load(answer["Body"])["fleet"] == "green"
    return new / n


def config(name, model="churn-1", count=4):
    return sm.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[{
        "VariantName": "AllTraffic", "ModelName": model, "InstanceType": "ml.m5.large",
        "InitialInstanceCount": count, "InitialVariantWeight": 1.0}])


CANARY = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {
            "Type": "CANARY", "WaitIntervalInSeconds": 600,
            "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 25}},
        "TerminationWaitInSeconds": 60, "MaximumExecutionTimeoutInSeconds": 3600},
    "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "churn-5xx"}]},
}
LINEAR = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {
            "Type": "LINEAR", "WaitIntervalInSeconds": 120,
            "LinearStepSize": {"Type": "INSTANCE_COUNT", "Value": 2}}},
}


def create():
    for name in ("churn-1", "churn-2"):
        sm.create_model(ModelName=name, PrimaryContainer={"Image": "1.dkr/x:1", "Environment": {
            "A": "b"}}, ExecutionRoleArn="arn:aws:iam::123456789012:role/sagemaker")
        config(name, name)
    arn = sm.create_endpoint(EndpointName="Churn", EndpointConfigName="churn-1",
                             Tags=[{"Key": "team", "Value": "growth"}])["EndpointArn"]
    assert arn == "arn:aws:sagemaker:us-east-1:123456789012:endpoint/churn"
    assert describe()["EndpointStatus"] == "Creating"
    refused(sm.update_endpoint, "ValidationException", "Cannot update in-progress endpoint",
            EndpointName="Churn", EndpointConfigName="churn-2")
    advance(300)
    wait("endpoint_in_service", EndpointName="Churn")
    print("created")
    return arn


def roll_back():
    cloudwatch.put_metric_alarm(
        AlarmName="churn-5xx", Namespace="AWS/SageMaker", MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": "EndpointName", "Value": "Churn"},
                    {"Name": "VariantName", "Value": "AllTraffic"}], Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1.0, TreatMissingData="notBreaching",
        ComparisonOperator="GreaterThanOrEqualToThreshold")
    sm.update_endpoint(EndpointName="Churn", EndpointConfigName="churn-2", DeploymentConfig=CANARY)
    assert stage() == ("Creating", 0, 4), stage()
    assert shares(20) == 0
    advance(301)
    assert stage() == ("Baking", 1, 4), stage()
    share = shares(400)
    assert 0.15 < share < 0.36, share  # a quarter, give or take 4.5 standard deviations
    assert describe()["EndpointConfigName"] == "churn-1"
    cloudwatch.set_alarm_state(AlarmName="churn-5xx", StateValue="ALARM", StateReason="a drill")
    alarm, = cloudwatch.describe_alarms(AlarmNames=["churn-5xx"])["MetricAlarms"]
    assert (alarm["StateValue"], alarm["StateReason"]) == ("ALARM", "a drill"), alarm
    assert alarm["Threshold"] == 1.0 and alarm["StateUpdatedTimestamp"].year == 2026
    assert shares(20) == 0
    advance(30)
    wait("endpoint_in_service", EndpointName="Churn")
    after = describe()
    assert after["EndpointConfigName"] == "churn-1"
    assert "churn-5xx" in after["FailureReason"], after
    assert "PendingDeploymentSummary" not in after
    cloudwatch.set_alarm_state(AlarmName="churn-5xx", StateValue="OK", StateReason="over")
    print("rolled back at", round(100 * share), "%")


def deploy():
    sm.update_endpoint(EndpointName="Churn", EndpointConfigName="churn-2", DeploymentConfig=LINEAR)
    advance(300)
    assert stage() == ("Baking", 2, 4), stage()
    share = shares(400)
    assert 0.38 < share < 0.62, share
    advance(240)
    wait("endpoint_in_service", EndpointName="Churn")
    assert describe()["EndpointConfigName"] == "churn-2"
    print("deployed in two steps, half way at", round(100 * share), "%")
    sm.update_endpoint_weights_and_capacities(EndpointName="Churn", DesiredWeightsAndCapacities=[
        {"VariantName": "AllTraffic", "DesiredInstanceCount": 6, "DesiredWeight": 2.5}])
    advance(60)
    variant, = describe()["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["CurrentWeight"]) == (6, 2.5)
    print("scaled")


def lists(arn):
    for i in range(25):
        config("page-%02d" % i)
    pages = list(sm.get_paginator("list_endpoint_configs").paginate(
        NameContains="page", SortBy="Name", SortOrder="Ascending", PaginationConfig={
            "PageSize": 10}))
    names = [row["EndpointConfigName"] for page in pages for row in page["EndpointConfigs"]]
    assert names == ["page-%02d" % i for i in range(25)] and len(pages) == 3
    assert len(sm.get_paginator("list_models").paginate().build_full_result()["Models"]) == 2
    assert len(sm.list_endpoints(StatusEquals="InService")["Endpoints"]) == 1
    for i in range(12):
        cloudwatch.put_metric_alarm(AlarmName="more-%02d" % i, Namespace="Mine", MetricName="M",
                                    Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
                                    ComparisonOperator="LessThanThreshold")
    alarms = cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix="more", PaginationConfig={"PageSize": 5}).build_full_result()
    assert len(alarms["MetricAlarms"]) == 12
    cloudwatch.delete_alarms(AlarmNames=["more-%02d" % i for i in range(12)])
    refused(cloudwatch.delete_alarms, "ResourceNotFound", "more-00", 404, AlarmNames=["more-00"])
    sm.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "team", "Value": "x"}])
    sm.delete_tags(ResourceArn=arn, TagKeys=["a"])
    assert sm.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "x"}]
    print("listed and tagged")


def refusals():
    refused(sm.create_endpoint, "ValidationException", "Cannot create already existing endpoint",
            EndpointName="churn", EndpointConfigName="churn-1")
    refused(sm.create_endpoint, "ValidationException", "Could not find endpoint configuration",
            EndpointName="other", EndpointConfigName="none")
    refused(sm.describe_endpoint, "ValidationException", "Could not find endpoint",
            EndpointName="other")
    refused(sm.create_endpoint_config, "ValidationException", 'Could not find model "arn:aws',
            EndpointConfigName="x", ProductionVariants=[{
                "VariantName": "v", "ModelName": "none", "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1}])
    refused(sm.list_endpoints, "ValidationException", "Value '101' at 'maxResults' failed to "
            "satisfy constraint", MaxResults=101)
    refused(sm.list_trials, "NotSimulated", "ListTrials")
    refused(runtime.invoke_endpoint, "ValidationError", "Endpoint none of account 123456789012 "
            "not found.", EndpointName="none", Body=b"")
    wrong = client("sagemaker", aws_secret_access_key="wrong", aws_access_key_id="test")
    refused(wrong.list_models, "InvalidSignatureException", "does not match", 403)
    strange = client("sagemaker", aws_secret_access_key="test", aws_access_key_id="other")
    refused(strange.list_models, "UnrecognizedClientException", "security token", 403)
    elsewhere = client("sagemaker", region_name="eu-west-1")
    refused(elsewhere.list_models, "InvalidSignatureException", "valid region", 403)
    control("knobs", {"throttle": 1})
    refused(sm.list_models, "ThrottlingException", "Rate exceeded")
    control("knobs", {"expire": 1})
    refused(sm.list_models, "ExpiredTokenException", "expired", 403)
    assert client("sts", region_name="us-east-1").get_caller_identity()["Account"] == "123456789012"
    print("refused")


def newer():
    """What botocore of January 2023 does not know."""
    operations = sm.meta.service_model.operation_names
    if "CreateInferenceComponent" not in operations:
        return
    sm.update_endpoint(EndpointName="Churn", EndpointConfigName="churn-1", DeploymentConfig={
        "RollingUpdatePolicy": {"MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 2},
                                "WaitIntervalInSeconds": 60}})
    advance(310)
    assert stage() == ("Baking", 2, 4), stage()
    advance(3600)
    assert describe()["EndpointConfigName"] == "churn-1"
    sm.create_endpoint_config(
        EndpointConfigName="parts", ExecutionRoleArn="arn:aws:iam::123456789012:role/sagemaker",
        ProductionVariants=[{"VariantName": "AllTraffic", "InstanceType": "ml.g5.2xlarge",
                             "InitialInstanceCount": 1}])
    sm.create_endpoint(EndpointName="parts", EndpointConfigName="parts")
    advance(300)
    sm.create_inference_component(
        InferenceComponentName="part", EndpointName="parts", VariantName="AllTraffic",
        Specification={"ModelName": "churn-1", "ComputeResourceRequirements": {
            "NumberOfCpuCoresRequired": 1, "MinMemoryRequiredInMb": 1024}},
        RuntimeConfig={"CopyCount": 1})
    advance(600)
    seen = sm.describe_inference_component(InferenceComponentName="part")
    assert seen["InferenceComponentStatus"] == "InService", seen
    answer = runtime.invoke_endpoint(EndpointName="parts", InferenceComponentName="part", Body=b"x")
    assert json.load(answer["Body"])["endpoint"] == "parts"
    stream = runtime.invoke_endpoint_with_response_stream(EndpointName="churn", Body=b"x")
    text = b"".join(event["PayloadPart"]["Bytes"] for event in stream["Body"])
    assert json.loads(text)["endpoint"].lower() == "churn", text
    sm.delete_inference_component(InferenceComponentName="part")
    advance(600)
    sm.delete_endpoint(EndpointName="parts")
    print("rolled, hosted components, streamed")


def delete():
    sm.delete_endpoint(EndpointName="Churn")
    assert describe()["EndpointStatus"] == "Deleting"
    advance(30)
    wait("endpoint_deleted", EndpointName="Churn")
    for name in ("churn-1", "churn-2"):
        sm.delete_endpoint_config(EndpointConfigName=name)
        sm.delete_model(ModelName=name)
    cloudwatch.delete_alarms(AlarmNames=["churn-5xx"])
    print("deleted")


print("boto3", boto3.__version__)
ARN = create()
roll_back()
deploy()
lists(ARN)
refusals()
newer()
delete()
RAW.close()
print("done")
