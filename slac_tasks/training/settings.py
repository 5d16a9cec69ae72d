"""Settings of pretraining, of its evaluation and of what a promotion may cost."""

from collections.abc import Iterator
from dataclasses import dataclass

from slac_tasks.settings import Section, setting


@dataclass(frozen=True, kw_only=True)
class Training(Section):
    """Pretraining on the release, and its evaluation by transfer."""

    architecture: str = setting(
        "r2plus1d_18",
        "A video network in the registry of `slac_tasks.networks.registry`, or `attentive`: a frozen video network of "
        "transformers (V-JEPA 2, VideoMAE), from the folder that `start` names, of whose tokens a query and a head "
        "learn. Needs the extra `vlm`.",
    )
    steps: int = setting(0, "Pretraining steps; 0: as many as `epochs` over the release are.", least=0)
    epochs: float = setting(30.0, "How often each clip of the release is learned, where `steps` is 0.", least=0.001)
    least_steps: int = setting(2_000, "A small release is learned for so many steps at least.", least=1)
    most_steps: int = setting(300_000, "A large release is learned for so many steps at most.", least=1)
    batch: int = setting(32, "Clips in one step, of all processes together.", least=1, most=65_536)
    micro_batch: int = setting(
        0,
        "Clips that a process computes at once, whose gradients are added up to those of the step; 0: all of its "
        "share. Halved by itself where memory runs out.",
        least=0,
        most=65_536,
    )
    processes: int = setting(
        0,
        "Processes that train together on this machine, each on a card of its own; 0: one for each card. They divide "
        "`batch`. Under torchrun its own number counts.",
        least=0,
        most=1_000,
    )
    start: str = setting(
        "random",
        "Where the backbone starts: `random`, `hub` (torchvision's weights), `package`, or a folder that holds "
        "<architecture>.pt. From weights it learns slower, the lower its layer. Of `attentive`: the folder of network "
        "and processor as transformers writes them.",
    )
    frozen: bool = setting(False, "Train the head alone, on the backbone that `start` names.")
    loss: str = setting(
        "both",
        "`binary`: each answer by itself; `softmax`: the categories beside a background; `both`: the first, and the "
        "softmax over the positives.",
        choices=("binary", "softmax", "both"),
    )
    negatives: str = setting(
        "hard",
        "Negatives that are learned from: `hard`, those that people gave; `random`, another category drawn by lot for "
        "each positive clip; `none`.",
        choices=("none", "random", "hard"),
    )
    balance: float = setting(0.0, "How much oftener rare labels come: 0 as they are, 1 all alike.", least=0, most=1)
    average: float = setting(
        0.999, "Decay of the moving average of the weights that is handed on; 0 hands on the last ones.", least=0,
        most=0.999999,
    )  # fmt: skip
    checkpoint_steps: int = setting(500, "Steps from one checkpoint to the next.", least=1)
    scratch_gib: float = setting(
        20.0,
        "Scratch disk of pretraining: decoded clips where all of them fit, else copies of renditions from an S3.",
        least=0,
    )
    transfer: str = setting(
        "",
        "Folder of the target data set: <split>/<class>/<video>; empty evaluates on the release's testing split alone.",
    )
    transfer_lists: tuple[str, ...] = setting(
        (),
        "Published lists of the target's videos (UCF-101, HMDB-51, Kinetics, Something-Something v2, HACS), both parts "
        "of one split; empty: its folders say what they hold.",
    )
    transfer_labels: tuple[int, ...] = setting(
        (5, 10, 20), "Labels per class that the transfer may use: one or more points of the learning curve.", least=1
    )
    transfer_steps: int = setting(300, "Fine-tuning steps, the same for the pretrained and the fresh network.", least=1)
    transfer_seeds: int = setting(5, "Repetitions, each with its own labels and start.", least=1, most=1_000)
    transfer_clips: int = setting(
        10, "Clips of each test video, evenly spread, whose scores are averaged.", least=1, most=1_000
    )
    transfer_tune: bool = setting(
        True,
        "Choose each start's learning rate on half of the target's training videos; else both get a fresh network's.",
    )
    min_gain: float = setting(
        0.0,
        "A network is promoted when the lower end of its gain in accuracy over the member that it replaces is above; "
        "-1: any is.",
        least=-1,
        most=1,
    )
    max_loss: float = setting(
        0.1, "A network that is surely worse on a category, and by more than this, is not promoted.", least=0, most=1
    )
    rescore_gpu_hours: float = setting(1.0, "Budget for scoring old windows again with a promoted model.", least=0)
    clips_per_gpu_second: float = setting(
        300.0,
        "Scoring rate by which the budget is spent until a run of such a network was measured (a constant of ours).",
        least=0.001,
    )
    seed: int = setting(0, "Seed of every random choice in training.", least=0)

    def conflicts(self) -> Iterator[str]:
        """Refuse positives alone for a loss that would learn to say yes, and numbers that contradict each other."""
        if self.negatives == "none" and self.loss == "binary":
            yield self.refusal("negatives", "negatives for the loss 'binary'")
        if self.least_steps > self.most_steps:
            yield self.refusal("least_steps", f"at most most_steps, {self.most_steps:_}")
        if self.processes and self.batch % self.processes:
            yield self.refusal("batch", f"a multiple of processes, {self.processes}")
        if not self.transfer_labels or len(set(self.transfer_labels)) < len(self.transfer_labels):
            yield self.refusal("transfer_labels", "one or more different numbers")
