"""What dbt-athena does for every node costs a client, and not another reading of botocore's files."""

import json
import subprocess
import sys

# botocore opens the files itself, so that they are counted where it does
COUNTING = """
import json, os
import boto3
from botocore.loaders import JSONFileLoader
from lakehouse.pipeline.aws_clients import share_descriptions

read = []
load_file = JSONFileLoader.load_file
JSONFileLoader.load_file = lambda self, path: read.append(path) or load_file(self, path)
share_descriptions()
share_descriptions()

def client(region):
    made = boto3.session.Session(region_name=region).client("athena", aws_access_key_id="a", aws_secret_access_key="b")
    return len(read), made.meta.endpoint_url, sorted(made.meta.service_model.operation_names)

print(json.dumps([client("eu-west-1"), client("eu-west-1"), client("us-east-2")]))
"""


def test_every_session_after_the_first_reads_nothing_and_is_of_its_own_region() -> None:
    done = subprocess.run([sys.executable, "-c", COUNTING], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (first, url, operations), second, third = json.loads(done.stdout)
    assert first > 0
    assert second == [first, url, operations]
    assert third == [first, url.replace("eu-west-1", "us-east-2"), operations]
    assert url == "https://athena.eu-west-1.amazonaws.com"
