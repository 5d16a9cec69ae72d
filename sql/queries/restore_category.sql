-- Put back a category that datasets in the store name; its display name is its key until somebody registers it again.
INSERT INTO categories (category, name) VALUES (%(category)s::text, replace(%(category)s::text, '_', ' '))
ON CONFLICT (category) DO NOTHING;
