-- Grams now tell in which part of the order of names somebody of a country, a city or a place is, numbers at the end of words,
-- and characters of scripts without spaces in the order of names: `migrate` derives them again. Every node of an earlier
-- program must have been stopped, or it writes rows without these.
UPDATE profiles SET grams = NULL WHERE grams IS NOT NULL;

-- Where in time the newest and the oldest lie is read off the histogram, which should tell one in a thousand.
ALTER TABLE profiles ALTER COLUMN created_at SET STATISTICS 1000;
