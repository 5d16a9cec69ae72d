"""Pins the base images by digest: `python .ci/pin_bases.py [root]` asks the registry and writes the digests.

It changes the `ARG BASE=` lines of docker/*.Dockerfile and the images of others in docker-compose.yaml. An image that
is pinned already gets the digest of today. Without skopeo or Docker's buildx, or without a registry, it ends with 75
and changes nothing: a digest is never guessed.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

UNREACHABLE = 75
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
PLACES = {
    "docker/*.Dockerfile": re.compile(r"(?m)^(ARG BASE=)([^\s@]+)(@\S+)?()$"),
    "docker-compose.yaml": re.compile(r"(\$\{(?:POSTGRES|S3)_IMAGE:-)([^\s@}]+)(@[^}]+)?(\})"),
}
"""Where an image is named: what stands before it, the image, its digest, what stands behind."""
WAYS = (
    ["skopeo", "inspect", "--format", "{{.Digest}}", "docker://{image}"],
    ["docker", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}", "{image}"],
)


def digest(image: str) -> str | None:
    """Return the digest that the registry has for an image now; None where it cannot be asked."""
    for way in WAYS:
        if shutil.which(way[0]):
            argv = [word.replace("{image}", image) for word in way]
            ended = subprocess.run(argv, capture_output=True, text=True, check=False)
            found = ended.stdout.strip().strip('"')
            if ended.returncode == 0 and DIGEST.fullmatch(found):
                return found
            said = (ended.stderr.strip().splitlines() or ["no digest"])[0]
            print(f"pin-bases: {image}: {way[0]}: {said[:200]}", file=sys.stderr)
    return None


def main(root: Path) -> int:
    """Ask for all digests, and only then write."""
    files = {path: pattern for place, pattern in PLACES.items() for path in sorted(root.glob(place))}
    images = {match[2] for path, pattern in files.items() for match in pattern.finditer(path.read_text())}
    digests = {image: digest(image) for image in sorted(images)}
    if None in digests.values():
        missing = ", ".join(image for image, found in digests.items() if found is None)
        print(f"pin-bases: no registry answers for {missing}; nothing was changed")
        return UNREACHABLE
    for path, pattern in files.items():
        path.write_text(
            pattern.sub(lambda match: f"{match[1]}{match[2]}@{digests[match[2]]}{match[4]}", path.read_text())
        )
    for image, found in digests.items():
        print(f"pin-bases: {image}@{found}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
