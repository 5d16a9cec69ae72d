-- Answers from elsewhere that are set aside, by source and in the order in which they were; line 9 before line 10.
SELECT source, item, reason, detail, since FROM rejected_votes ORDER BY source, since, length(item), item;
