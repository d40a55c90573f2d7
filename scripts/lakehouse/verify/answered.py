"""Who answered: AWS itself, or endpoints on this machine. That is read off the answers, and no option says it."""

import ipaddress
import os
import socket
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from lakehouse.errors import DbtError
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.storage.s3_errors import explained
from lakehouse.storage.s3_session import session

Place = Literal["AWS", "local endpoints", "neither AWS nor local endpoints alone"]
_AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
SHOWN_DIGITS = 4  # of an account's twelve


class Answered(msgspec.Struct, frozen=True):
    """Who answered the questions of a verification."""

    where: Place
    account: str
    """The last digits of the account's number, as STS gives it."""
    region: str
    endpoints: dict[str, str]
    """By service, the address that was asked."""
    s3_server: str
    """What S3 calls itself in the header `Server`: AmazonS3 on AWS."""
    engine: dict[str, str]
    """The versions, as the engine says them."""

    @property
    def is_local(self) -> bool:
        """Whether everything that answered is on this machine."""
        return self.where == "local endpoints"


def ask_who_answers(dbt: DbtSession, bucket: str) -> Answered:
    """Asks STS, S3 and the engine who they are.

    Raises:
        LandingError: One of AWS's services refuses to say.
    """
    with explained(f"s3://{bucket}"):
        sts, s3 = session().client("sts"), session().client("s3")
        account = sts.get_caller_identity()["Account"]
        headers = s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]
        endpoints = {"sts": sts.meta.endpoint_url, "s3": s3.meta.endpoint_url}
        if dbt.target == "athena":
            endpoints["athena"] = session().client("athena").meta.endpoint_url
            endpoints["glue"] = session().client("glue").meta.endpoint_url
        else:
            endpoints["redshift"] = (
                f"postgres://{os.environ['REDSHIFT_HOST']}:{os.environ.get('REDSHIFT_PORT', '5439')}"
            )
        engine = {"version()": _asked_version(dbt)}
        if dbt.target == "athena":
            engine["work group"] = _work_group_engine()
    return Answered(
        where_is(endpoints),
        f"…{account[-SHOWN_DIGITS:]}",
        s3.meta.region_name,
        endpoints,
        headers.get("server", "does not say"),
        engine,
    )


def where_is(endpoints: Mapping[str, str]) -> Place:
    """Where services are, by the addresses that were asked: all on AWS, all on this machine, or neither."""
    kinds = {_kind_of(urlsplit(url).hostname or "") for url in endpoints.values()}
    if kinds == {"this machine"}:
        return "local endpoints"
    return "AWS" if kinds == {"AWS"} else "neither AWS nor local endpoints alone"


def _kind_of(host: str) -> str:
    """Whose a host is. What a name leads to counts before the name: names can be led elsewhere."""
    try:
        addresses = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except OSError:
        return "nobody's"
    if all(ipaddress.ip_address(address).is_loopback for address in addresses):
        return "this machine"
    return "AWS" if host.endswith(_AWS_DOMAINS) else "somebody else's"


def _asked_version(dbt: DbtSession) -> str:
    try:
        (answer,) = dbt.ask("tell_engine_version")
    except DbtError as error:
        return f"does not say: {error}"
    return str(answer)


def _work_group_engine() -> str:
    """The engine of the work group: https://docs.aws.amazon.com/athena/latest/APIReference/API_EngineVersion.html."""
    name = os.environ.get("ATHENA_WORK_GROUP", "primary")
    group = session().client("athena").get_work_group(WorkGroup=name)["WorkGroup"]
    return group.get("Configuration", {}).get("EngineVersion", {}).get("EffectiveEngineVersion", "does not say")
