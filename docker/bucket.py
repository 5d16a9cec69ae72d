"""Wait for the S3 server, and make the bucket that SLAC_STORE names. Run by docker-compose.yaml; safe to run again.

Speaks to any S3: it asks nothing of the server's own tools.
"""

import os
import sys
import time

import certifi
import urllib3
from minio.error import S3Error

from slac_tasks.errors import SlacError
from slac_tasks.storage.s3 import client, server_of
from slac_tasks.storage.store import AUTHORITY

WAIT_SEC = 120.0


def main() -> int:
    """Return 0 when the bucket is there, 75 when no server answered, 78 when it refused."""
    bucket = os.environ["SLAC_STORE"].removeprefix("s3://").partition("/")[0]
    connections = urllib3.PoolManager(
        timeout=5.0, retries=False, ca_certs=certifi.where(), ca_cert_data=os.environ.get(AUTHORITY) or None
    )
    try:
        server = server_of(os.environ, "SLAC_S3_ENDPOINT")
        asked = client(server, os.environ, connections)
    except SlacError as failure:
        print(f"bucket: {failure}", file=sys.stderr)
        return failure.exit_code
    until = time.monotonic() + float(os.environ.get("BUCKET_WAIT_SEC") or WAIT_SEC)
    while True:
        try:
            if not asked.bucket_exists(bucket):
                asked.make_bucket(bucket)
            print(f"bucket: {bucket} is there")
            return 0
        except S3Error as error:
            if error.code in ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"):
                print(f"bucket: {bucket} refused: {error.code}", file=sys.stderr)
                return 78
            reason = error.code
        except ValueError as error:  # no bucket can have this name
            print(f"bucket: SLAC_STORE: {error}", file=sys.stderr)
            return 78
        except urllib3.exceptions.HTTPError as error:
            reason = type(error).__name__
        if time.monotonic() > until:
            print(f"bucket: no answer from {server.geturl()}: {reason}", file=sys.stderr)
            return 75
        time.sleep(1.0)


if __name__ == "__main__":
    sys.exit(main())
