"""What a file says of its video, as JSON: `python probing.py <file> <max pixels>`.

`python probing.py --lengths <file> ...` prints what the headers say of how long each is.

A process of its own, because a file that crashes or hangs the demuxer must end this process and not the batch. It
reads every packet and decodes up to the first picture. `slac_tasks.video.originals` starts it, confined, and judges.
"""

import json
import sys
from array import array
from itertools import pairwise
from typing import Any

import av

# Playlists (hls, concat, dash) name other files and hosts, so they are no containers here.
FORMATS = "mov,matroska,avi,mpeg,mpegts,mpegvideo,flv,live_flv,ogg,asf,mxf,h264,hevc,m4v,ivf,rm,dv"
Facts = dict[str, Any]
"""What a file says of its video: it crosses a process boundary as JSON."""

OPTIONS = {"protocol_whitelist": "file", "format_whitelist": FORMATS}


def read_facts(path: str, max_pixels: int) -> Facts:
    """Return the facts of a file's first video stream that is no cover picture; `{}` where there is none.

    Times are in seconds; a packet that an edit list does not show is left out.

    Raises:
        av.FFmpegError: the file cannot be read.

    """
    with av.open(f"file:{path}", options=OPTIONS) as container:
        streams = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
        if not streams:
            return {}
        stream = streams[0]
        # av calls it by its decoder, libdav1d; strangers' files are av1.
        facts: Facts = {
            "stream": stream.index,
            "codec": stream.codec_context.codec.canonical_name,
            "coded": [stream.width, stream.height],
            "declared_sec": float(stream.duration * stream.time_base) if stream.duration else 0.0,
            "declared_rate": float(stream.average_rate or 0),
        }
        if stream.width * stream.height > max_pixels:
            return facts
        stream.codec_context.options = {"max_pixels": str(max_pixels)}
        stream.codec_context.thread_count = 1
        times, ends, orders = array("d"), array("d"), array("d")
        first = None
        for packet in container.demux(stream):
            if packet.size and not packet.is_discard:
                at = packet.pts if packet.pts is not None else packet.dts
                if at is not None:
                    times.append(float(at * packet.time_base))
                    ends.append(times[-1] + float((packet.duration or 0) * packet.time_base))
                if packet.dts is not None:
                    orders.append(float(packet.dts * packet.time_base))
            if first is None:
                first = _picture(packet)
        facts["packets"] = len(times)
        if times:
            shown = sorted(times)
            facts["first_sec"], facts["last_sec"], facts["end_sec"] = shown[0], shown[-1], max(ends)
            facts["gap_sec"] = max((b - a for a, b in pairwise(shown)), default=0.0)
            facts["backward_sec"] = max((a - b for a, b in pairwise(orders)), default=0.0)
        if first is not None:
            facts["picture"] = [first.width, first.height]
            facts["picture_sec"] = None if first.pts is None else float(first.pts * first.time_base)
            facts["rotation"] = first.rotation
            facts["interlaced"] = bool(first.interlaced_frame)
            facts["sar"] = float(stream.sample_aspect_ratio or 1)
        return facts


def _picture(packet: Any) -> Any:
    """Return the first picture that a packet gives, or None; one that cannot be decoded is skipped as a player does."""
    try:
        return next(iter(packet.decode()), None)
    except av.FFmpegError:
        return None


def length(path: str) -> float | None:
    """Return the seconds that a file's header declares; None where it cannot be read or does not say."""
    try:
        with av.open(f"file:{path}", options=OPTIONS) as container:
            return container.duration / av.time_base if container.duration else None
    except Exception:  # whatever a hostile file makes av raise is that file's own failure
        return None


if __name__ == "__main__":
    if sys.argv[1] == "--lengths":
        print(json.dumps([length(path) for path in sys.argv[2:]]))
        sys.exit()
    try:
        found: Facts = {"facts": read_facts(sys.argv[1], int(sys.argv[2]))}
    except Exception as error:  # whatever a hostile file makes av raise is that file's own failure
        found = {"unreadable": f"{type(error).__name__}: {error}"[:2000]}
    print(json.dumps(found))
