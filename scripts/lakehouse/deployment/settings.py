"""The environment that leads dbt and the loader to a stack: a file of `export` lines, without any secret."""

import os
import shlex
from pathlib import Path

from lakehouse.deployment.stack import Description

DATABASE = "dev"
CLUSTER_USER = "dbt"


def settings_of(stack: Description, region: str) -> dict[str, str]:
    """The variables that profiles.example.yml and the loader read, for a stack as it is."""
    outputs = stack.outputs
    bucket = outputs["Bucket"]
    settings = {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,  # botocore reads this one only
        "ENVIRONMENT": outputs["SchemaPrefix"].removesuffix("_"),
        "LANDING_ZONE": f"s3://{bucket}/landing",
        "ATHENA_WORK_GROUP": outputs["WorkGroup"],
        "ATHENA_S3_STAGING_DIR": f"s3://{bucket}/results/",
        "ATHENA_S3_DATA_DIR": f"s3://{bucket}/lake",
    }
    if "CopyRole" in outputs:
        settings |= {
            "REDSHIFT_METHOD": "iam",
            "REDSHIFT_DATABASE": DATABASE,
            "REDSHIFT_COPY_IAM_ROLE": outputs["CopyRole"],
        }
    if "ServerlessWorkgroup" in outputs:
        settings |= {
            "REDSHIFT_HOST": outputs["ServerlessHost"],
            "REDSHIFT_SERVERLESS_WORK_GROUP": outputs["ServerlessWorkgroup"],
        }
    if "Cluster" in outputs:
        settings |= {
            "REDSHIFT_HOST": outputs["ClusterHost"],
            "REDSHIFT_CLUSTER_ID": outputs["Cluster"],
            "REDSHIFT_USER": CLUSTER_USER,
        }
    return settings


def write_settings(path: Path, stack: Description, name: str, region: str) -> None:
    """Writes the file, readable by its owner only, in one step."""
    roles = {role: arn for role, arn in sorted(stack.outputs.items()) if role.endswith("Role")}
    secret = shlex.quote(stack.outputs["PseudonymKey"])
    asks = f"aws secretsmanager get-secret-value --secret-id {secret} --query SecretString --output text"
    lines = [
        f"# The stack {name}: written by `lakehouse aws up`, anew each time. It holds no secret.",
        *(f"export {variable}={shlex.quote(value)}" for variable, value in settings_of(stack, region).items()),
        "",
        "# The key of the pseudonyms stays in Secrets Manager. To land data of people, as the loader or the eraser:",
        f'# export PSEUDONYM_KEY="$({asks})"',
        "# Roles:",
        *(f"# {role:16} {arn}" for role, arn in roles.items()),
    ]
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    new.replace(path)
