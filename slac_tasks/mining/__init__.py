"""Mining: which clips are worth a person's time, and how many a round may ask. Pure functions over arrays.

settings       what a round may cost, and what it is spent on
measures       how much members disagree, agree or doubt, and whether an action holds over neighbours
pool           the clips of one category that may be chosen, with their measures
segments       sets of clips inside segments that a localizer found
choice         a ranking for each strategy, and the choice by quotas
plan           what a round's minutes buy
referee        the shares of a round, by what the strategies' answers were worth
"""
