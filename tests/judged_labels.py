"""Labels of one category that are sound, with what a test changes of them."""

from typing import Any

import pandas as pd


def labels(category: str = "judo", **changes: list[Any]) -> pd.DataFrame:
    table = {
        "clip_id": [f"v{index}:0" for index in range(4)], "video_id": [f"v{index}" for index in range(4)],
        "start_sec": [0.0] * 4, "end_sec": [2.0] * 4, "split": ["training"] * 4, "category": [category] * 4,
        "strategy": ["random"] * 4, "status": ["settled"] * 4, "label": [1, -1, 1, -1], "confidence": [1.0] * 4,
        "yes": [2, 0, 2, 0], "no": [0, 2, 0, 2], "unsure": [0] * 4, "broken": [0] * 4,
        "first_two_agree": [True] * 4, "votes": [["x", "y"]] * 4,
    }  # fmt: skip
    return pd.DataFrame({**table, **changes})
