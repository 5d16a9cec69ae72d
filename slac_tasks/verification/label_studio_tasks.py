"""Clips as tasks of Label Studio, and the labelling config with which a project shows them. Texts alone: no ledger."""

from collections.abc import Iterable, Mapping
from typing import Any

LABEL_CONFIG = """\
<View>
  <Header value="$question"/>
  <Text name="guideline" value="$guideline"/>
  <Video name="video" value="$video"/>
  <Choices name="answer" toName="video" choice="single-radio" required="true" showInline="true">
    <Choice value="yes" hotkey="y"/>
    <Choice value="no" hotkey="n"/>
    <Choice value="unsure" hotkey="u"/>
    <Choice value="broken" hotkey="b"/>
  </Choices>
</View>
"""


def tasks(clips: Iterable[Mapping[str, Any]], media: str) -> list[dict[str, Any]]:
    """Return the clips of a queue as Label Studio tasks.

    Args:
        clips: rows of the query clips_to_ask.
        media: address below which a web server shows the store's objects. A media fragment (W3C) names the clip.

    """
    return [
        {
            "data": {
                "clip_id": clip["clip_id"],
                "category": clip["category"],
                "question": f"Does this clip contain: {clip['name']}?",
                "guideline": clip["guideline"],
                "video": f"{media.rstrip('/')}/{clip['proxy_256']}#t={clip['start_sec']:g},{clip['end_sec']:g}",
                "start": clip["start_sec"],
                "end": clip["end_sec"],
            }
        }
        for clip in clips
    ]
