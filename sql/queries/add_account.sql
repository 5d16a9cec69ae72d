-- Make an account, or give a known person a new password, other groups and another role; the person is active again.
INSERT INTO annotators (annotator, password, groups, role)
VALUES (%(annotator)s::text, %(password)s::text, %(groups)s::text[], %(role)s::text)
ON CONFLICT (annotator) DO UPDATE SET
    password = excluded.password, groups = excluded.groups, role = excluded.role, active = true;
