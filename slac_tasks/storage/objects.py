"""The store: named bytes in a local folder or in any S3. The one owner of object storage.

Names are relative paths with `/`. Every write is atomic: a name holds all of its bytes or does not exist. Names are
written once; only `current.json` pointers are ever replaced.
"""

import errno
import hashlib
import io
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import SplitResult, urlsplit

from slac_tasks.errors import BrokenContract, NotConfigured, NotMade, Temporary

if TYPE_CHECKING:
    from minio import Minio


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What a listing says of an object."""

    name: str
    size_bytes: int
    written_at: datetime


class Store(Protocol):
    """Named bytes. Raises `NotMade` for a name that does not exist and `Temporary` when the store is out of reach."""

    url: str

    def put(self, name: str, data: bytes) -> None:
        """Write `data` under `name`, replacing what is there."""

    def put_file(self, name: str, path: Path) -> None:
        """Write the bytes of the file at `path` under `name`."""

    def create(self, name: str, data: bytes) -> bool:
        """Write `data` under `name` unless the name exists; return whether this call wrote it."""

    def get(self, name: str) -> bytes:
        """Return the bytes of `name`."""

    def exists(self, name: str) -> bool:
        """Return whether `name` holds bytes."""

    def names(self, prefix: str) -> Iterator[str]:
        """Yield all names that start with `prefix`, in order."""

    def objects(self, prefix: str) -> Iterator[Stored]:
        """Yield what is known of all names that start with `prefix`, in order, without their bytes."""

    def delete(self, name: str) -> None:
        """Remove `name`; a name that does not exist is no error."""

    def local(self, name: str) -> Any:
        """Context manager: a local path with the bytes of `name`, valid inside the block."""

    def presign(self, name: str, seconds: int) -> str | None:
        """Return an address that hands out `name` for that long, or None where files have no address."""


def checked(name: str) -> str:
    """Return `name` if it stays inside the store: no absolute path, no `..`, no empty part."""
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\x00" in name or "\\" in name:
        raise BrokenContract(f"object name {name!r}: leaves the store, want relative parts without '..'")
    return name


class FolderStore:
    """A store in a local folder."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.url = str(self.root)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NotConfigured(f"store {self.url}: cannot be created: {error.strerror}") from error
        if not os.access(self.root, os.W_OK | os.X_OK):
            raise NotConfigured(f"store {self.url}: is not writable")

    def _path(self, name: str) -> Path:
        return self.root / checked(name)

    @contextmanager
    def _staged(self, name: str) -> Iterator[tuple[Path, Path]]:
        """Yield (temporary file, target); the temporary name starts with a dot and is never listed.

        Raises:
            Temporary: the store is full.
            NotConfigured: the store may not be written to (any more).

        """
        target = self._path(name)
        part = target.parent / f".{target.name}.{secrets.token_hex(6)}.part"
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                yield part, target
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            # A copy reads from elsewhere; what is full or read-only is where it writes.
            if is_disk_full(error):
                raise Temporary(f"store {self.url}: disk is full while writing {name}") from error
            if error.errno == errno.EROFS or (isinstance(error, PermissionError) and self._is_own(error)):
                raise NotConfigured(f"store {self.url}: is not writable: {error.strerror}, at {name}") from error
            raise

    def _is_own(self, error: OSError) -> bool:
        """Return whether a failure is about a path of this store."""
        return str(error.filename2 or error.filename or "").startswith(self.url)

    def put(self, name: str, data: bytes) -> None:
        with self._staged(name) as (part, target):
            _write(part, data)
            os.replace(part, target)

    def put_file(self, name: str, path: Path) -> None:
        with self._staged(name) as (part, target):
            shutil.copyfile(path, part)
            _sync(part)
            os.replace(part, target)

    def create(self, name: str, data: bytes) -> bool:
        with self._staged(name) as (part, target):
            _write(part, data)
            try:
                os.link(part, target)
            except FileExistsError:
                return False
            return True

    def get(self, name: str) -> bytes:
        try:
            return self._path(name).read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotMade(f"object {name}: does not exist in {self.url}") from error

    def exists(self, name: str) -> bool:
        return self._path(name).is_file()

    def names(self, prefix: str) -> Iterator[str]:
        folder = self.root / prefix.rpartition("/")[0]
        found = (
            os.path.relpath(os.path.join(where, file), self.root)
            for where, _, files in os.walk(folder)
            for file in files
            if not file.startswith(".")
        )
        yield from sorted(name for name in found if name.startswith(prefix))

    def objects(self, prefix: str) -> Iterator[Stored]:
        for name in self.names(prefix):
            # Another process may delete it between the listing and this line.
            with suppress(FileNotFoundError):
                found = self._path(name).stat()
                written_at = datetime.fromtimestamp(found.st_mtime, UTC)
                yield Stored(name=name, size_bytes=found.st_size, written_at=written_at)

    def delete(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        path = self._path(name)
        if not path.is_file():
            raise NotMade(f"object {name}: does not exist in {self.url}")
        yield path

    def presign(self, name: str, seconds: int) -> str | None:
        return None


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


S3_VARIABLES = ("SLAC_S3_ENDPOINT", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""The variables without which no S3 server is known."""


class S3Store:
    """A store under a prefix of a bucket, through the `minio` client; credentials come from the environment."""

    def __init__(self, bucket: str, prefix: str, environ: Mapping[str, str]) -> None:
        import certifi
        import urllib3

        endpoint = environ.get("SLAC_S3_ENDPOINT", "")
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise NotConfigured(f"SLAC_S3_ENDPOINT: is {endpoint!r}, want http(s)://host:port")
        access, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
        if not access or not secret:
            raise NotConfigured("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: not set, want the store's credentials")
        self.bucket = bucket
        self.prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
        self.url = f"s3://{bucket}/{self.prefix}"
        self._http = urllib3.PoolManager(
            # Threads that read at the same time keep a connection each.
            maxsize=8,
            timeout=urllib3.Timeout(connect=5, read=60),
            retries=urllib3.Retry(total=3, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504)),
            ca_certs=certifi.where(),
        )
        self._client = self._open(parts, access, secret, environ)
        public = urlsplit(environ.get("SLAC_S3_PUBLIC_ENDPOINT") or endpoint)
        if public.scheme not in ("http", "https") or not public.netloc:
            raise NotConfigured(f"SLAC_S3_PUBLIC_ENDPOINT: is {public.geturl()!r}, want http(s)://host:port")
        # A signature covers the host: addresses for browsers are signed for the name by which browsers know the server.
        self._public = self._open(public, access, secret, environ)
        with self._reached():
            if not self._client.bucket_exists(bucket):
                raise NotConfigured(f"store {self.url}: bucket {bucket!r} does not exist on {endpoint}")

    def _open(self, endpoint: SplitResult, access: str, secret: str, environ: Mapping[str, str]) -> "Minio":
        from minio import Minio

        return Minio(
            endpoint.netloc,
            access_key=access,
            secret_key=secret,
            secure=endpoint.scheme == "https",
            region=environ.get("AWS_REGION", "us-east-1"),
            http_client=self._http,
        )

    @contextmanager
    def _reached(self, name: str = "") -> Iterator[None]:
        """Turn the client's failures into ours."""
        import urllib3.exceptions
        from minio.error import InvalidResponseError, S3Error, ServerError

        where = f"object {name} in {self.url}" if name else f"store {self.url}"
        try:
            yield
        except S3Error as error:
            if error.code in ("NoSuchKey", "NoSuchObject"):
                raise NotMade(f"{where}: does not exist") from error
            if error.code in ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket"):
                raise NotConfigured(f"{where}: refused, {error.code}") from error
            raise Temporary(f"{where}: {error.code}") from error
        except (urllib3.exceptions.HTTPError, InvalidResponseError, ServerError) as error:
            # Some servers answer a missing name with a plain 404, which the client does not understand.
            if getattr(error, "_code", None) == 404:
                raise NotMade(f"{where}: does not exist") from error
            raise Temporary(f"{where}: out of reach: {type(error).__name__}") from error

    def put(self, name: str, data: bytes) -> None:
        with self._reached(name):
            self._client.put_object(self.bucket, self.prefix + checked(name), io.BytesIO(data), len(data))

    def put_file(self, name: str, path: Path) -> None:
        with self._reached(name):
            self._client.fput_object(self.bucket, self.prefix + checked(name), str(path))

    def create(self, name: str, data: bytes) -> bool:
        # The client has no conditional write, so a presigned address carries the condition. A server that ignores it
        # is covered by the look before, all but for the instant between the two.
        if self.exists(name):
            return False
        with self._reached(name):
            where = self._client.presigned_put_object(
                self.bucket, self.prefix + checked(name), expires=timedelta(minutes=5)
            )
            answer = self._http.request("PUT", where, body=data, headers={"If-None-Match": "*"})
        if answer.status in (409, 412):
            return False
        if answer.status != 200:
            raise Temporary(f"object {name} in {self.url}: conditional write answered {answer.status}, want 200")
        return True

    def get(self, name: str) -> bytes:
        with self._reached(name):
            response = self._client.get_object(self.bucket, self.prefix + checked(name))
            try:
                return bytes(response.read())
            finally:
                response.close()
                response.release_conn()

    def exists(self, name: str) -> bool:
        try:
            with self._reached(name):
                self._client.stat_object(self.bucket, self.prefix + checked(name))
        except NotMade:
            return False
        return True

    def names(self, prefix: str) -> Iterator[str]:
        with self._reached(prefix):
            for item in self._client.list_objects(self.bucket, prefix=self.prefix + prefix, recursive=True):
                yield item.object_name.removeprefix(self.prefix)

    def objects(self, prefix: str) -> Iterator[Stored]:
        with self._reached(prefix):
            for item in self._client.list_objects(self.bucket, prefix=self.prefix + prefix, recursive=True):
                name = item.object_name.removeprefix(self.prefix)
                yield Stored(name=name, size_bytes=item.size, written_at=item.last_modified)

    def delete(self, name: str) -> None:
        with self._reached(name):
            self._client.remove_object(self.bucket, self.prefix + checked(name))

    @contextmanager
    def local(self, name: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="slac-") as folder:
            path = Path(folder) / name.rpartition("/")[2]
            with self._reached(name):
                self._client.fget_object(self.bucket, self.prefix + checked(name), str(path))
            yield path

    def presign(self, name: str, seconds: int) -> str | None:
        with self._reached(name):
            return str(
                self._public.presigned_get_object(
                    self.bucket, self.prefix + checked(name), expires=timedelta(seconds=seconds)
                )
            )


def open_store(url: str, environ: Mapping[str, str] = os.environ) -> Store:
    """Open the store at `url`: a folder, `file:///folder`, or `s3://bucket/prefix`.

    Raises:
        NotConfigured: the address has another form, or no store is there.

    """
    parts = urlsplit(url)
    if parts.scheme == "s3" and parts.netloc:
        return S3Store(parts.netloc, parts.path, environ)
    if parts.scheme == "file" and not parts.netloc:
        return FolderStore(Path(parts.path))
    if not parts.scheme and url:
        return FolderStore(Path(url))
    raise NotConfigured(f"store {url!r}: want a folder, file:///folder or s3://bucket/prefix")


@dataclass(frozen=True)
class Media:
    """Hands out local paths of a store's objects, in this process or in one that this object is sent to."""

    url: str
    environ: Mapping[str, str] = field(repr=False)

    def __call__(self, name: str) -> Any:
        """Return a context manager: a local path with the bytes of `name`, valid inside the block."""
        return self._store.local(name)

    @cached_property
    def _store(self) -> Store:
        return open_store(self.url, self.environ)

    def __reduce__(self) -> Any:
        # A connection cannot be sent; the other process makes its own.
        return Media, (self.url, dict(self.environ))


def put_by_content(store: Store, folder: str, suffix: str, data: bytes) -> str:
    """Write `data` under a name made of its SHA-256 and return the first 16 hex digits of the hash."""
    digest = hashlib.sha256(data).hexdigest()[:16]
    name = f"{folder}/{digest}{suffix}"
    # Written again where it is there already: what was written lately is in use, see `slac_tasks.garbage`.
    store.put(name, data)
    return digest


def is_disk_full(error: OSError) -> bool:
    """Return whether the failure is a full disk or an exhausted quota, which a later try may not meet."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
