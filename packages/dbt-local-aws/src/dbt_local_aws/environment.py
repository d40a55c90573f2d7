"""The environment of those who use the endpoints: it knows no other AWS than this one."""

import contextlib
import os
from collections.abc import Iterator, Mapping

import boto3

LEADING_ELSEWHERE = ("AWS_", "ATHENA_", "REDSHIFT_")
"""How the names of variables begin that could lead a client to another AWS, or to another account of it."""
_LOOPBACK = "localhost,127.0.0.1"


@contextlib.contextmanager
def own_environment(settings: Mapping[str, str] | None = None) -> Iterator[None]:
    """Takes what leads elsewhere out of this process's environment, and adds settings.

    When the block ends, all that was changed meanwhile is undone.
    """
    before = dict(os.environ)
    for name in before:
        if name.startswith(LEADING_ELSEWHERE):
            del os.environ[name]
    os.environ.update(settings or {})
    forget_keys()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        forget_keys()


def forget_keys() -> None:
    """boto3's default session keeps the keys that it found first; the next one is made when it is asked for."""
    boto3.DEFAULT_SESSION = None


def no_proxy() -> dict[str, str]:
    """Lets no proxy come between clients and the loopback interface; both spellings are read, by different clients."""
    named = {os.environ.get(name, "") for name in ("no_proxy", "NO_PROXY")}
    hosts = ",".join([*sorted(filter(None, named)), _LOOPBACK])
    return {"no_proxy": hosts, "NO_PROXY": hosts}
