"""What a category is called: all that an image-text network is told of it.

`plan` reads the words from the ledger and the settings and puts them into the store under their hash, which it hands to
`bootstrap`: a stage that runs networks holds no password of the ledger.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from slac_tasks.errors import BrokenContract

IMAGE_TEXT = "image_text"
"""The member that scores by words. Its network is of a folder that the settings name, so no registry holds it."""
FOLDER = "words"
"""Where the store holds them: words/<hash>.json."""
NEUTRAL = "a video"
"""What every clip shows. A category is scored by how much nearer a clip is to its texts than to this one."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """What one category is called."""

    name: str
    """Its display name."""
    synonyms: tuple[str, ...] = ()
    guideline: str = ""
    """What reviewers are told; may be empty."""

    @property
    def texts(self) -> list[str]:
        """Return what the network reads: its name and synonyms in a sentence each, and the guideline (ours)."""
        named = [f"{NEUTRAL} of {words}" for words in dict.fromkeys((self.name, *self.synonyms))]
        return [*named, *([self.guideline.strip()] if self.guideline.strip() else [])]


def encode_words(words: Mapping[str, Words]) -> bytes:
    """Return the bytes of the words of some categories; equal words give equal bytes."""
    return json.dumps({category: asdict(found) for category, found in words.items()}, sort_keys=True).encode()


def decode_words(data: bytes) -> dict[str, Words]:
    """Return the words of each category.

    Raises:
        BrokenContract: these are no words.

    """
    try:
        found = json.loads(data)
        return {key: Words(**{**one, "synonyms": tuple(one["synonyms"])}) for key, one in found.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BrokenContract(f"words of categories: cannot be read, {type(error).__name__}: {error}") from error
