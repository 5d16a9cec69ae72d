"""Wait for the S3 server, and make the bucket that SLAC_STORE names. Run by docker-compose.yaml; safe to run again.

Speaks to any S3: it asks nothing of the server's own tools.
"""

import os
import sys
import time
from urllib.parse import urlsplit

import certifi
import urllib3
from minio import Minio
from minio.error import S3Error

WAIT_SEC = 120.0


def main() -> int:
    """Return 0 when the bucket is there, 75 when no server answered, 78 when it refused."""
    bucket, endpoint = urlsplit(os.environ["SLAC_STORE"]).netloc, urlsplit(os.environ["SLAC_S3_ENDPOINT"])
    client = Minio(
        endpoint.netloc,
        access_key=os.environ["AWS_ACCESS_KEY_ID"],
        secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        secure=endpoint.scheme == "https",
        region=os.environ.get("AWS_REGION") or "us-east-1",
        session_token=os.environ.get("AWS_SESSION_TOKEN") or None,
        http_client=urllib3.PoolManager(
            timeout=5.0, retries=False, ca_certs=certifi.where(), ca_cert_data=os.environ.get("SLAC_S3_CA") or None
        ),
    )
    until = time.monotonic() + float(os.environ.get("BUCKET_WAIT_SEC") or WAIT_SEC)
    while True:
        try:
            if not client.bucket_exists(bucket):
                client.make_bucket(bucket)
            print(f"bucket: {bucket} is there")
            return 0
        except S3Error as error:
            if error.code in ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"):
                print(f"bucket: {bucket} refused: {error.code}", file=sys.stderr)
                return 78
            reason = error.code
        except urllib3.exceptions.HTTPError as error:
            reason = type(error).__name__
        if time.monotonic() > until:
            print(f"bucket: no answer from {endpoint.geturl()}: {reason}", file=sys.stderr)
            return 75
        time.sleep(1.0)


if __name__ == "__main__":
    sys.exit(main())
