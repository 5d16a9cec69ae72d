-- What people gave as their reason and holds this text: of rulings, of decisions, and why two videos were told apart.
SELECT reason FROM rulings WHERE strpos(reason, %(text)s::text) > 0
UNION
SELECT reason FROM decisions WHERE strpos(reason, %(text)s::text) > 0
UNION
SELECT reason FROM told_apart WHERE strpos(reason, %(text)s::text) > 0;
