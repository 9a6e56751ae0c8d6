"""What boto3 makes of environments: python3 differential.py ROWS

ROWS is a JSON file of rows {id, env, files}. Serves STS, SSO, container and
instance metadata on 127.0.0.1, prints the port, then one JSON line a row with
what boto3 found, and goes on serving until /quit is asked for. "<HOME>" and
"<URL>" in a row stand for its home folder and for the server.
"""
import http.server
import json
import os
import re
import sys
import threading
import urllib.parse

EXPIRY = "2037-01-01T00:00:00Z"


def keys_xml(action, name):
    return (
        f"<{action}Response><{action}Result><AssumedRoleUser><Arn>arn:aws:sts::111122223333:"
        f"assumed-role/R/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser><Credentials>"
        f"<AccessKeyId>{name}</AccessKeyId><SecretAccessKey>S</SecretAccessKey>"
        f"<SessionToken>T</SessionToken><Expiration>{EXPIRY}</Expiration></Credentials>"
        f"</{action}Result></{action}Response>"
    )


def keys_json(name):
    return json.dumps({
        "Code": "Success", "AccessKeyId": name, "SecretAccessKey": "S", "Token": "T",
        "Expiration": EXPIRY, "LastUpdated": "2026-01-01T00:00:00Z", "Type": "AWS-HMAC",
    })


class Handler(http.server.BaseHTTPRequestHandler):
    """Names in the keys say who asked for them, and for what."""

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        form = urllib.parse.parse_qs(self.rfile.read(length).decode())
        action, role = form["Action"][0], form["RoleArn"][0].rsplit("/", 1)[-1]
        caller = "WEB"
        if action == "AssumeRole":
            match = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization", ""))
            caller = match.group(1)
        if role == "Denied":
            self.answer(403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no"
                        "</Message></Error></ErrorResponse>")
            return
        self.answer(200, keys_xml(action, f"{caller}.{role}"))

    def do_PUT(self):
        self.answer(200, "token")

    def do_GET(self):
        url = urllib.parse.urlparse(self.path)
        query = urllib.parse.parse_qs(url.query)
        if url.path == "/quit":
            self.answer(200, "")
            threading.Thread(target=self.server.shutdown).start()
        elif url.path == "/federation/credentials":
            self.answer(200, json.dumps({"roleCredentials": {
                "accessKeyId": "SSO." + query["role_name"][0], "secretAccessKey": "S",
                "sessionToken": "T", "expiration": 2114380800000}}))
        elif url.path == "/container":
            self.answer(200, keys_json("CONTAINER"))
        elif url.path.endswith("/security-credentials/"):
            self.answer(200, "role")
        elif url.path.endswith("/security-credentials/role"):
            self.answer(200, keys_json("IMDS"))
        else:
            self.answer(404, "")

    def log_message(self, *args):
        pass


def session_of(row, url):
    """A session in the environment of this process, from which botocore takes
    some folders when it is first imported."""
    import botocore
    import botocore.session

    class Here(botocore.session.Session):
        """Asks STS and SSO here, for a version that knows no URLs of the environment."""

        def create_client(self, service_name, *args, **kwargs):
            if service_name in ("sts", "sso"):
                kwargs["endpoint_url"] = url
            return super().create_client(service_name, *args, **kwargs)

    knows = tuple(map(int, botocore.__version__.split(".")[:2])) >= (1, 31)
    return (botocore.session.Session if knows else Here)(profile=row.get("profile"))


def look(row, here):
    """What boto3 finds in the environment of this process."""
    session = session_of(row, here)
    try:
        client = session.create_client("sagemaker")
        found = session.get_credentials()
        frozen = found.get_frozen_credentials() if found else None
        # Where a request goes; client.meta.endpoint_url is not always that.
        url = client.generate_presigned_url("list_endpoints") if frozen else None
    except Exception as error:  # whatever it is: the row ends with a failure
        return {"error": f"{type(error).__name__}: {error}"}
    if not frozen:
        return {"error": "no credentials"}
    return {"key": frozen.access_key, "method": found.method,
            "region": client.meta.region_name, "endpoint": url.split("?")[0].rstrip("/")}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        rows = json.load(file)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    print(url, flush=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    path = os.environ["PATH"]
    for row in rows:
        os.environ.clear()
        os.environ["PATH"] = path
        os.environ.update({k: v.replace("<URL>", url) for k, v in row["env"].items()})
        print(json.dumps(look(row, url)), flush=True)
    thread.join()


main()
