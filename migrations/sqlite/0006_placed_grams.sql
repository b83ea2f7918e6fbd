-- Grams now tell in which part of the order of names somebody of a country, a city or a place is, numbers at the end of words,
-- and characters of scripts without spaces in the order of names: `migrate` derives them again. Every node of an earlier
-- program must have been stopped, or it writes profiles without these.
INSERT OR IGNORE INTO profiles_without_grams (profile_number) SELECT profile_number FROM profiles;
-- All anew: what is replaced one by one leaves a mark that each search passes.
INSERT INTO profile_grams (profile_grams) VALUES ('delete-all');
