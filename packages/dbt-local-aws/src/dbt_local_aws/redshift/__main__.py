"""The command line: `python -m dbt_local_aws.redshift --port 5439 --s3-endpoint-url http://127.0.0.1:5000`."""

import argparse
import asyncio
import contextlib
import json
import os
import shlex
import signal
import sys
from collections.abc import Sequence

from dbt_local_aws.certificates import make_certificates
from dbt_local_aws.process import when_input_ends
from dbt_local_aws.redshift.data_api.api import DataApi
from dbt_local_aws.redshift.data_api.front import DataApiFront
from dbt_local_aws.redshift.iam import CredentialsApi, keys_given
from dbt_local_aws.redshift.postgres import PostgresError, PostgresServer
from dbt_local_aws.redshift.server import Configuration, RedshiftServer, new_password
from dbt_local_aws.signatures import new_keys

PASSWORD_VARIABLE = "LOCAL_REDSHIFT_PASSWORD"  # noqa: S105 - the variable's name


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs an endpoint until it is interrupted."""
    options = _parser().parse_args(arguments)
    configuration = Configuration(
        user=options.user,
        database=options.database,
        password=os.environ.get(PASSWORD_VARIABLE) or new_password(),
        s3_endpoint_url=options.s3_endpoint_url or os.environ.get("AWS_ENDPOINT_URL"),
        region=options.region,
    )
    os.umask(0o077)  # what it writes is its owner's only
    # before anything is started, so that nothing that was started outlives a signal
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with PostgresServer() as postgres:
            asyncio.run(_serve(postgres, configuration, options))
    except KeyboardInterrupt:
        return 0
    except (PostgresError, OSError) as error:
        print(f"local Redshift cannot start: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dbt_local_aws.redshift", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=5439, help="port to listen on; 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument("--s3-endpoint-url", help="where COPY reads from; AWS_ENDPOINT_URL by default")
    parser.add_argument("--user", default="dbt", help="name of the superuser (default: %(default)s)")
    parser.add_argument("--database", default="dev", help="name of the database (default: %(default)s)")
    parser.add_argument("--region", default="us-west-2", help="region of the S3 client (default: %(default)s)")
    parser.add_argument("--supervised", action="store_true", help="print JSON, and end when standard input does")
    return parser


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


async def _serve(postgres: PostgresServer, configuration: Configuration, options: argparse.Namespace) -> None:
    certificates = make_certificates(postgres.folder)
    server = RedshiftServer(postgres, certificates, configuration)
    keys = keys_given(os.environ) or new_keys()
    listener = await server.start(options.port)
    port = listener.sockets[0].getsockname()[1]
    api = CredentialsApi(server.temporary_logins, configuration.user, configuration.database, port, keys)
    api.start()
    data_api = DataApiFront(DataApi(server.temporary_logins, configuration.user, port), keys)
    data_api.start()
    environment = {
        "REDSHIFT_HOST": "localhost",
        "REDSHIFT_PORT": str(port),
        "REDSHIFT_DATABASE": configuration.database,
        "REDSHIFT_USER": configuration.user,
        "DBT_ENV_SECRET_REDSHIFT_PASSWORD": configuration.password,
        "REDSHIFT_SSLMODE": "verify-full",
        "SSL_CERT_FILE": str(certificates.bundle),  # redshift_connector
        "PGSSLROOTCERT": str(certificates.authority),  # psql and others that use libpq
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_ENDPOINT_URL_REDSHIFT": api.url,
        "AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS": api.url,
        "AWS_ENDPOINT_URL_REDSHIFT_DATA": data_api.url,
    }
    stop = asyncio.Event()
    try:
        if options.supervised:
            _stop_with_parent(asyncio.get_running_loop(), stop)
            print(json.dumps(environment), flush=True)
        else:
            print(f"Redshift listens on localhost:{port}. To use it:\n")
            print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in environment.items()))
            print("\nCtrl-C stops it and removes its data.", flush=True)
        await stop.wait()
    finally:
        data_api.stop()
        api.stop()
        listener.close()
        await server.close_sessions()


def _stop_with_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    def end() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(stop.set)

    when_input_ends(end)


if __name__ == "__main__":
    sys.exit(main())
