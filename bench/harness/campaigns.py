"""A campaign in a world: rounds of choosing clips, asking simulated people, carrying their answers and asking again.

Choosing, carrying, the control and the rule of asking again are the product's own engines. What people answer follows
from the world's truth and the crew (`slac_tasks.world.people`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from bench.harness.worlds import World, scored
from slac_tasks.mining.choice import Choice, choose
from slac_tasks.mining.coverage import space
from slac_tasks.mining.measures import Floats, Ints, consensus
from slac_tasks.mining.plan import plan_round
from slac_tasks.mining.pool import Pool, make_pool
from slac_tasks.mining.referee import refereed
from slac_tasks.model import CLIP_SEC, Answer, Strategy, unit_hash
from slac_tasks.networks.features import projection
from slac_tasks.quality.gold import COLUMNS
from slac_tasks.storage.datasets.labelling import AccountRow, ControlRow
from slac_tasks.verification.account import account
from slac_tasks.verification.ballots import Bools
from slac_tasks.verification.carrying import Abilities, Clips, Said, joined_features, log_odds_of, spread
from slac_tasks.verification.control import FIRST, Answers, control_rows
from slac_tasks.verification.queue import CONTROLS, answers_per_clip, is_audited
from slac_tasks.verification.settings import Review
from slac_tasks.world import people

SECONDS = CLIP_SEC + people.DECIDE_SEC
"""What one simulated answer costs."""
_ROUNDING = 1e-6
ABILITIES = Abilities(sensitivity=0.88, specificity=0.91)
"""Of the average person, one who clicks at random among twenty; the platform measures it (`slac validate`)."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How a campaign spends people's time."""

    shares: Mapping[Strategy, float]
    """Of each round; what they leave is the random control."""
    review: Review
    again: float = 0.0
    """Most of a round's answers that go to clips which all else contradicts."""
    again_by_lot: bool = False
    """Whether clips are asked again by lot and not where all else contradicts."""
    carry_sec: float = 1.0
    learn_sec: float | None = None
    """Heads learn from answers carried so far; None: as far as they are carried, 0: from people's own labels."""
    referee: bool = False
    """Whether shares follow what the control says that each strategy's answers were worth."""
    gold: float = 0.0
    """Share of the clips whose answer an expert knows. People's answers to them are training, which costs time too."""


@dataclass(kw_only=True)
class Category:
    """One category of a campaign: its clips and what people said of them."""

    name: str
    rows: Ints
    """Rows of its clips in the world."""
    ids: Sequence[str]
    start_sec: Floats
    truth: Bools
    pool: Pool
    clips: Clips
    answers: dict[int, list[int]] = field(default_factory=dict)
    """By clip: +1 or -1 for each answer, in order."""
    strategy: NDArray[np.object_]
    wanted: Ints
    lead: Ints
    seconds: float = 0.0
    """Human seconds spent."""
    granted: float = 0.0
    """Human seconds that may be spent so far."""

    @classmethod
    def of(cls, world: World, name: str, scores: Floats) -> "Category":
        """Return a category of a world, as nobody has answered yet; scores: (clips of the world, members)."""
        rows = np.flatnonzero((world.clips["category"] == name) & world.clips["is_pool"])
        own: pd.DataFrame = world.clips.iloc[rows]
        seen = {
            member: (found[rows].numpy() @ projection(found.shape[1]).matrix).astype(np.float32)
            for member, found in world.found.items()
        }
        start, shot = own["start_sec"].to_numpy(float), own["shot"].to_numpy().astype(np.int64)
        return cls(
            name=name, rows=rows, ids=own["clip_id"].tolist(), start_sec=start, truth=own["truth"].to_numpy(bool),
            pool=make_pool(
                pa.array(own["video_id"].tolist(), pa.string()), start, shot, scores[rows],
                seed=f"{world.seed} {name}", at=space(list(seen.values())),
            ),
            clips=Clips(
                video=np.unique(own["video_id"], return_inverse=True)[1], shot=shot,
                start_ms=np.rint(start * 1000).astype(np.int64), features=joined_features([seen], len(rows)),
                committee=log_odds_of(consensus(scores[rows])),
            ),
            strategy=np.full(len(rows), None, dtype=object), wanted=np.zeros(len(rows), dtype=np.int64),
            lead=np.zeros(len(rows), dtype=np.int64),
        )  # fmt: skip

    def see(self, scores: Floats) -> None:
        """Go by these scores from here on; shape (clips of the category, members)."""
        self.pool = replace(self.pool, scores=scores[self.pool.row])
        self.clips = replace(self.clips, committee=log_odds_of(consensus(scores)))

    def ask(self, crew: Sequence[people.Person], seed: int, clip: int, answers: int) -> None:
        """Let people answer about a clip until it has so many answers."""
        given = self.answers.setdefault(clip, [])
        for person in people.assigned(tuple(crew), seed, self.ids[clip], self.name)[len(given) : answers]:
            said = person.answer(seed, self.ids[clip], self.name, bool(self.truth[clip]))
            given.append(1 if said is Answer.YES else -1)
            self.seconds += SECONDS

    def counted(self) -> Answers:
        """Return the answers as arrays."""
        yes, no = np.zeros(len(self.rows), dtype=np.int64), np.zeros(len(self.rows), dtype=np.int64)
        first = np.zeros((len(self.rows), FIRST), dtype=np.int64)
        for clip, given in self.answers.items():
            yes[clip], no[clip] = given.count(1), given.count(-1)
            first[clip, : len(given[:FIRST])] = given[:FIRST]
        return Answers(
            yes=yes, no=no, given=yes + no, first=first, strategy=self.strategy, wanted=self.wanted, lead=self.lead,
            audit_share=np.full(len(self.rows), np.nan),
        )  # fmt: skip


@dataclass(kw_only=True)
class Campaign:
    """A campaign in one world with one crew."""

    world: World
    policy: Policy
    crew: Sequence[people.Person]
    seed: int
    categories: list[Category]
    rounds: int = 0
    """How many were begun."""

    @classmethod
    def begin(cls, world: World, policy: Policy, scores: Floats, seed: int) -> "Campaign":
        """Return a campaign before its first round; scores: of the bootstrapped committee, (clips, members)."""
        named = [Category.of(world, name, scores) for name in world.categories]
        begun = cls(world=world, policy=policy, crew=people.crew(seed), seed=seed, categories=named)
        for category in named:
            for clip in np.flatnonzero(begun.is_gold(category)).tolist():
                begun._until_one_leads(category, clip)
            category.granted = category.seconds
        return begun

    @classmethod
    def played(cls, world: World, policy: Policy, crew: int, *, minutes: float, rounds: int) -> "Campaign":
        """Return a campaign after so many minutes for each category, spent in equal rounds."""
        campaign = cls.by_crew(world, policy, crew)
        for _ in range(rounds):
            campaign.round(minutes / rounds)
        return campaign

    @classmethod
    def by_crew(cls, world: World, policy: Policy, crew: int) -> "Campaign":
        """Return a campaign before its first round, chosen by the bootstrapped committee and asked of one crew."""
        return cls.begin(world, policy, scored(world, world.heads), world.seed * 1000 + crew)

    def see(self, scores: Floats) -> None:
        """Go by the scores of a committee that has learned, shape (clips of the world, members)."""
        for category in self.categories:
            category.see(scores[category.rows])

    @property
    def minutes(self) -> float:
        """Human minutes spent."""
        return sum(each.seconds for each in self.categories) / 60

    def round(self, minutes: float) -> None:
        """Spend so many minutes on each category, and what earlier rounds left of theirs.

        Where the pool ends, people are asked again, about the least sure clips first; less is spent where nobody was
        asked once.
        """
        self.rounds += 1
        review = self.policy.review
        accounts = (
            [row for category in self.categories for row in self.account(category)] if self.policy.referee else []
        )
        for category in self.categories:
            category.granted += minutes * 60
            if self.policy.again and category.answers:
                self._again(category, int(self.policy.again * minutes * 60 / SECONDS), review.again_below)
            # A plan estimates what its clips cost: what it leaves is planned again.
            while self._new(category, accounts):
                pass
            left = int((category.granted - category.seconds) / SECONDS)
            if left > review.control_most:
                self._again(category, left, least=1.0)

    def account(self, category: Category) -> list[AccountRow]:
        """Return what each strategy's answers bought in a category."""
        answers, seconds = category.counted(), np.zeros(len(category.rows))
        for clip, given in category.answers.items():
            seconds[clip] = len(given) * SECONDS
        return account(
            category.name, category.clips, answers.own(ABILITIES), answers, seconds,
            reach_sec=self.policy.carry_sec, teaches=np.ones(len(seconds), dtype=bool),
        )  # fmt: skip

    def _again(self, category: Category, answers: int, least: float) -> None:
        """Ask again about clips that were asked once and whose label is less sure than `least`."""
        said, counted = self.said(category), category.counted()
        rows = np.flatnonzero(counted.once)
        if self.policy.again_by_lot:
            rows = rows[np.argsort([self._lot("again", category, row) for row in rows.tolist()])]
        else:
            rows = rows[said.confidence[rows] < least]
            rows = rows[np.argsort(said.confidence[rows], kind="stable")]
        end = category.seconds + answers * SECONDS
        for clip in rows.tolist():
            if category.seconds + SECONDS > end:
                break
            category.ask(self.crew, self.seed, clip, 2)
            if sum(category.answers[clip]) == 0:
                category.ask(self.crew, self.seed, clip, 3)

    def _new(self, category: Category, accounts: Sequence[AccountRow]) -> bool:
        """Ask about new clips while there is time; return whether any was found."""
        policy, review = self.policy, self.policy.review
        share = dict(policy.shares)
        control = 1 - sum(part for strategy, part in share.items() if strategy not in CONTROLS)
        pace, left = SECONDS * answers_per_clip(review, control), category.granted - category.seconds
        if left < pace:
            return False
        shares: dict[str, Any] = {name: share.get(strategy, 0.0) for name, strategy in _SHARES.items()}
        knobs = replace(
            self.world.knobs, clips_per_round=100_000, clips_per_video=1000, carry_sec=policy.carry_sec,
            minutes_per_round=left / 60, entropy_of="", **shares,
        )  # fmt: skip
        divided = refereed(knobs, accounts, category=category.name, round=str(self.rounds))
        plan, before = plan_round(knobs, seconds_per_clip=pace, share=divided), category.seconds
        asked = [category.ids[clip] for clip in category.answers]
        drawn = [category.ids[clip] for clip in np.flatnonzero(category.strategy == Strategy.RANDOM).tolist()]
        chosen = choose(category.pool, plan.clips, knobs=knobs, asked=asked, drawn=drawn)
        # By lot, so that no strategy is the one for which no time is left.
        for choice in sorted(chosen, key=lambda choice: self._lot("turn", category, choice.index)):
            most = choice.strategy in CONTROLS or is_audited(
                category.ids[choice.index], category.name, review.audit_share
            )
            wanted = max(review.control_votes, review.votes_wanted) if most else review.votes_wanted
            if category.seconds + wanted * SECONDS > category.granted + _ROUNDING:
                break
            self._open(category, choice, wanted, lead=review.control_lead if most else 0)
        return category.seconds > before

    def _open(self, category: Category, choice: Choice, wanted: int, *, lead: int) -> None:
        clip = choice.index
        category.strategy[clip], category.wanted[clip], category.lead[clip] = choice.strategy.value, wanted, lead
        category.ask(self.crew, self.seed, clip, wanted)
        if lead:
            self._until_one_leads(category, clip)
        if wanted == 2 and sum(category.answers[clip]) == 0:
            category.ask(self.crew, self.seed, clip, 3)

    def _lot(self, what: str, category: Category, clip: int) -> float:
        return unit_hash(what, str(self.seed), category.name, category.ids[clip])

    def _until_one_leads(self, category: Category, clip: int) -> None:
        given, review = category.answers.setdefault(clip, []), self.policy.review
        while abs(sum(given)) < review.control_lead and len(given) < review.control_most:
            category.ask(self.crew, self.seed, clip, len(given) + 1)

    def gold(self) -> pd.DataFrame:
        """Return what people and the expert say of gold, with the columns of `slac_tasks.quality.gold`."""
        rows = [
            (category.ids[clip], category.name, int(np.sign(said)), 1 if category.truth[clip] else -1)
            for category in self.categories
            for clip in np.flatnonzero(self.is_gold(category)).tolist()
            if (said := sum(category.answers[clip]))
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def is_gold(self, category: Category) -> Bools:
        """Return which clips are gold: drawn by lot, apart from the round's own draw."""
        draws = [unit_hash("gold", str(self.seed), category.name, clip) for clip in category.ids]
        return np.array(draws) < self.policy.gold

    def said(self, category: Category) -> Said:
        """Return what all answers together say of the clips of a category."""
        return spread(
            category.clips,
            category.counted().own(ABILITIES),
            self.policy.carry_sec,
            teaches=np.ones(len(category.rows), dtype=bool),
        )

    def control(self, category: Category, said: Said) -> list[ControlRow]:
        """Return the rows of the control."""
        ids = pa.chunked_array([list(category.ids)])
        everything = np.ones(len(category.rows), dtype=bool)
        counted = category.counted()
        window = np.zeros(len(category.rows), dtype=np.int64)
        rows = control_rows(category.name, ids, window, everything, said, counted, ABILITIES, self.policy.review)
        return list(rows)


_SHARES = {
    "disagreement": Strategy.DISAGREEMENT, "consensus": Strategy.CONSENSUS, "entropy": Strategy.ENTROPY,
    "coverage": Strategy.COVERAGE, "unsure_coverage": Strategy.UNSURE_COVERAGE, "companions": Strategy.COMPANION,
}  # fmt: skip
"""Shares by the name of their setting."""
