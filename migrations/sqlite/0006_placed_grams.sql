-- Grams now tell numbers at the end of words, and characters of scripts without spaces in the order of names: `migrate`
-- derives them again. Every node of an earlier program must have been stopped, or it writes profiles without these.
INSERT OR IGNORE INTO profiles_without_grams (profile_number) SELECT profile_number FROM profiles;
