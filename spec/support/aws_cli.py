"""What the AWS CLI does with command lines: python3 aws_cli.py ROWS

ROWS is a JSON file {"env", "rows": [{id, argv, env, files, answers, read}]}. Serves the answers of a
row in their order under /ID/WHO/ on 127.0.0.1, over and over the last one, and records what it is
asked. Runs the AWS CLI for every row as WHO "aws", each in a process and a folder of its own, and
prints a line of JSON: {"port", "version", "results": {id: {rc, stdout, stderr, files}}}. Goes on
serving until it is told to /quit; /recorded is what was asked: {id: {who: [requests]}}.
"<URL>" in a command line stands for the place that the row is served at.
Exits with 3 where there is no AWS CLI for this Python.
"""
import base64
import concurrent.futures
import http.server
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import threading
import time

try:
    import awscli.clidriver
except ImportError:
    sys.exit(3)

ROWS = json.load(open(sys.argv[1]))
BY_ID = {row["id"]: row for row in ROWS["rows"]}
RECORDED = {}
LOCK = threading.Lock()
KEPT = ("content-type", "accept", "x-amz-target", "authorization", "x-amz-security-token")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def record(self, body):
        _, row, who, path = (self.path + "/").split("/", 3)
        headers = {name.lower(): value for name, value in self.headers.items()}
        with LOCK:
            list_ = RECORDED.setdefault(row, {}).setdefault(who, [])
            list_.append({
                "method": self.command, "path": "/" + path.rstrip("/"), "body": base64.b64encode(body).decode(),
                "headers": {name: value for name, value in headers.items()
                            if name in KEPT or name.startswith("x-amzn-")},
            })
            answers = BY_ID[row]["answers"]
            return answers[min(len(list_), len(answers)) - 1]

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/recorded":
            return self.answer(200, {}, json.dumps(RECORDED).encode())
        if self.path == "/quit":
            self.answer(200, {}, b"")
            return threading.Thread(target=self.server.shutdown).start()
        answer = self.record(body)
        self.answer(answer["status"], answer["headers"], base64.b64decode(answer["body"]))

    do_GET = do_DELETE = do_PATCH = do_POST

    def log_message(self, *arguments):
        pass


def command(row, folder):
    """Becomes the AWS CLI, in a process that was forked for it."""
    os.chdir(folder)
    data = os.environ.get("AWS_DATA_PATH")  # where awscli says that its own models are
    os.environ.clear()
    if data:
        os.environ["AWS_DATA_PATH"] = data
    os.environ.update(ROWS["env"], HOME=folder, **row["env"])
    time.tzset()
    for number, name in ((1, "/.out"), (2, "/.err")):
        os.dup2(os.open(folder + name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    url = "http://127.0.0.1:%d/%s/aws" % (PORT, row["id"])
    sys.argv = ["aws"] + [word.replace("<URL>", url) for word in row["argv"]]
    code = 255
    try:
        code = awscli.clidriver.main()
    except SystemExit as leaving:
        code = leaving.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


def read(path):
    with open(path, "rb") as f:
        return f.read().decode("utf-8", "replace")


def run(row):
    folder = tempfile.mkdtemp()
    for name, text in row["files"].items():
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)
    child = os.fork()
    if child == 0:
        command(row, folder)
    _, status = os.waitpid(child, 0)
    result = {
        "rc": os.waitstatus_to_exitcode(status), "stdout": read(folder + "/.out"),
        "stderr": read(folder + "/.err"),
        "files": {name: read(os.path.join(folder, name)) for name in row["read"]
                  if os.path.exists(os.path.join(folder, name))},
    }
    shutil.rmtree(folder)
    return result


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
PORT = server.server_port
serving = threading.Thread(target=server.serve_forever)
ending = threading.Timer(600, server.shutdown)
ending.daemon = True


# Loads the modules that all commands use, once. No command may run here: it would start threads.
awscli.clidriver.create_clidriver().session.get_component("data_loader")

# Commands are forked by processes without threads; the server stays here.
with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
    pending = [(row["id"], pool.submit(run, row)) for row in ROWS["rows"]]
    serving.start()
    ending.start()
    results = {name: future.result() for name, future in pending}
print(json.dumps({"port": PORT, "version": awscli.__version__, "results": results}), flush=True)
serving.join()
