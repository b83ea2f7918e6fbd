-- Grams now tell where the name lies, in the order of names, of a profile that has a word elsewhere; the values of
-- attributes; and who was born in a country's year: `migrate` derives them
-- again. Every node of an earlier program must have been stopped, or it writes profiles without these.
INSERT OR IGNORE INTO profiles_without_grams (profile_number) SELECT profile_number FROM profiles;
