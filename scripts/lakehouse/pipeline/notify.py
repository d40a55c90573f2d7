"""Who is told how a run ended: a topic of SNS, a webhook, both or nobody, as the environment says.

NOTIFY_SNS_TOPIC_ARN   the topic; the message is the report as JSON
NOTIFY_WEBHOOK_URL     an https:// address, which is a secret: whoever knows it can write there. It gets the report
                       by POST, with a line for a person in `text`, which chats show
"""

import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lakehouse.errors import SettingsError
from lakehouse.pipeline.run_report import RunReport
from lakehouse.storage.s3_session import session

TOPIC_VARIABLE, WEBHOOK_VARIABLE = "NOTIFY_SNS_TOPIC_ARN", "NOTIFY_WEBHOOK_URL"
_SECONDS = 4
"""To reach somebody, and again for the answer: who sends SIGTERM may send SIGKILL ten seconds later."""
_LONGEST_SUBJECT, _LONGEST_MESSAGE = 100, 256 * 1024  # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html


class NotToldError(Exception):
    """Somebody could not be told; the message says why, and gives no secret away."""


class Channel(Protocol):
    """A way to tell somebody."""

    name: str

    def send(self, report: RunReport) -> None:
        """Sends the report.

        Raises:
            NotToldError: It did not arrive.
        """


def channels(environment: Mapping[str, str]) -> list[Channel]:
    """The ways that the environment names.

    Raises:
        SettingsError: One makes no sense.
    """
    return [*_topic(environment.get(TOPIC_VARIABLE, "")), *_webhook(environment.get(WEBHOOK_VARIABLE, ""))]


def _topic(arn: str) -> Iterator[Channel]:
    if arn:
        parts = arn.split(":")
        if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sns" or not parts[3]:
            raise SettingsError(f"{TOPIC_VARIABLE} is {arn!r}: set it to arn:aws:sns:<region>:<account>:<topic>")
        yield Topic(arn, region=parts[3])


def _webhook(url: str) -> Iterator[Channel]:
    if url:
        try:
            parts = urllib.parse.urlsplit(url)
            is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "127.0.0.1")
        except ValueError:
            is_safe = False
        if not is_safe or not url.isprintable() or " " in url:
            raise SettingsError(f"{WEBHOOK_VARIABLE} is no https:// address (it is a secret, and not shown here)")
        yield Webhook(url)


class Topic:
    """A topic of SNS."""

    name = "SNS"

    def __init__(self, arn: str, region: str) -> None:
        """Takes the topic, and the region that it is in."""
        self._arn, self._region = arn, region

    def send(self, report: RunReport) -> None:
        """Publishes the report, with its summary as the subject."""
        config = Config(connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 1})
        subject = report.summary().encode("ascii", "replace").decode()[:_LONGEST_SUBJECT]
        message = msgspec.json.encode(report.as_fields()).decode()[:_LONGEST_MESSAGE]
        try:
            client: Any = session().client("sns", region_name=self._region, config=config)
            client.publish(TopicArn=self._arn, Subject=subject, Message=message)
        except (BotoCoreError, ClientError) as error:
            raise NotToldError(str(error)) from error


class Webhook:
    """An address on the web."""

    name = "the webhook"

    def __init__(self, url: str) -> None:
        """Takes the address."""
        self._url = url

    def send(self, report: RunReport) -> None:
        """Posts the report. A redirection is not followed: it would take the report to where nobody sent it."""
        body = msgspec.json.encode({"text": report.summary(), **report.as_fields()})
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            self._url, body, {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with urllib.request.build_opener(_NoRedirection).open(request, timeout=_SECONDS):
                pass
        except urllib.error.HTTPError as error:
            with error:
                raise NotToldError(f"it answered {error.code}") from None  # its text may hold the address
        except urllib.error.URLError as error:
            raise NotToldError(f"it cannot be reached: {error.reason}") from None
        except (OSError, ValueError) as error:
            raise NotToldError(f"it cannot be reached: {type(error).__name__}") from None


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Gives no second request: the answer is then an error of its code."""
