-- Give a person who is to be forgotten a pseudonym; one who has it already, from a call that was cut off, keeps it.
INSERT INTO forgotten (name, pseudonym) VALUES (%(name)s::text, %(pseudonym)s::text) ON CONFLICT (name) DO NOTHING;
