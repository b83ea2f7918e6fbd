-- Grams now tell of a number's first ten characters (words of cities are PostgreSQL's): `migrate` derives them again. Every node
-- of an earlier program must have been stopped, or it writes profiles without these.
INSERT OR IGNORE INTO profiles_without_grams (profile_number) SELECT profile_number FROM profiles;
-- Segments are no longer merged two by two, which wrote the largest one anew again and again.
INSERT INTO profile_grams (profile_grams, rank) VALUES ('usermerge', 4);
