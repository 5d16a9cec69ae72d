"""What people and strangers hand over: words, text files, tables and their cells.

Every reader of something that was not made by this platform goes through this room. What it returns means one thing.
What could mean two things is refused with both, and what means nothing is refused with what was found and wanted.
"""
