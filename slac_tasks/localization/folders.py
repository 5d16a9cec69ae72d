"""A localizer in a folder: the network that looks and the head that cuts, for machines without the store."""

import os
from pathlib import Path

from slac_tasks import outputs
from slac_tasks.errors import WrongArguments
from slac_tasks.localization.kept import decode, encode
from slac_tasks.localization.localizing import Localizer
from slac_tasks.localization.networks import frozen
from slac_tasks.networks.registry import architecture
from slac_tasks.networks.settings import Scoring
from slac_tasks.networks.weights import decode_backbone, encode_backbone

_HEAD, _NETWORK = "head.pt", "network.pt"


def write_folder(folder: Path, localizer: Localizer) -> None:
    """Write a localizer; files that are there are replaced.

    Raises:
        WrongArguments: the folder cannot be made, or not be written into.

    """
    extractor, head = localizer.extractor, outputs.folder(folder) / _HEAD
    # A head beside another network would find segments, and wrong ones: it goes first, and comes last.
    head.unlink(missing_ok=True)
    with outputs.whole(folder / _NETWORK) as part:
        part.write_bytes(encode_backbone(extractor.entry, extractor.form.network))
    with outputs.whole(head) as part:
        part.write_bytes(encode(localizer.head, localizer.about))


def open_folder(folder: Path, where: str, settings: Scoring) -> Localizer:
    """Return the localizer of a folder, on a device.

    Raises:
        WrongArguments: the folder holds none.
        BrokenContract: it is damaged.
        NotConfigured: the device is absent.

    """
    for name in (_HEAD, _NETWORK):
        if not os.path.isfile(folder / name):
            raise WrongArguments(f"--model {folder}: lacks {name}, want a folder that `slac localize --save` wrote")
    head, about = decode((folder / _HEAD).read_bytes(), str(folder))
    entry = architecture(about.architecture)
    backbone = decode_backbone(entry, (folder / _NETWORK).read_bytes())
    return Localizer(head=head, about=about, extractor=frozen(entry, backbone, where, settings))
