-- Answers from elsewhere that are no votes, whose detail holds this text.
SELECT source, item, detail FROM rejected_votes WHERE strpos(detail, %(text)s::text) > 0;
